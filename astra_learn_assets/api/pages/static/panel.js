// Follows a running training: server-sent events move the bar and add the steps. Without it the page is the
// same, as of when it was loaded. Only text is ever put in, never markup.
"use strict";

const box = document.querySelector("[data-follow]");
if (box && "EventSource" in window) {
  const said = box.querySelector(".said");
  const bar = box.querySelector("progress");
  const live = box.querySelector(".live");
  const log = document.querySelector("table.log tbody");
  const language = document.documentElement.lang;
  const most = 500;
  const after = log ? Number(log.dataset.after) : 2147483647;
  const source = new EventSource(`${box.dataset.follow}?after=${after}`);

  const figure = (value) =>
    typeof value === "number"
      ? value.toLocaleString(language, { maximumSignificantDigits: 4 })
      : "–";

  source.addEventListener("open", () => {
    live.textContent = box.dataset.live;
    live.hidden = false;
  });

  source.addEventListener("state", (event) => {
    const { progress } = JSON.parse(event.data);
    if (!progress || progress.share === null) return;
    bar.value = progress.share;
    const parts = [box.dataset.step.replace("%1", progress.step).replace("%2", progress.steps)];
    if (progress.eta_seconds !== null) {
      const minutes = Math.max(1, Math.round(progress.eta_seconds / 60));
      parts.push(box.dataset.left.replace("%1", minutes));
    }
    const text = `${parts[0]} (${Math.round(100 * progress.share)} %)${parts[1] ? `, ${parts[1]}` : ""}`;
    if (said.textContent !== text) said.textContent = text;
  });

  source.addEventListener("line", (event) => {
    if (!log) return;
    const { step, entry } = JSON.parse(event.data);
    const row = log.insertRow();
    for (const value of [step, entry.loss, entry.learning_rate, entry.tokens_per_second]) {
      const cell = row.insertCell();
      cell.className = "number";
      cell.textContent = figure(value);
    }
    while (log.rows.length > most) log.deleteRow(0);
    log.closest("table").hidden = false;
    const nothing = document.querySelector(".nothing");
    if (nothing) nothing.hidden = true;
  });

  source.addEventListener("end", () => {
    source.close();
    live.hidden = true;
    said.textContent = box.dataset.ended;
  });

  source.addEventListener("problem", (event) => {
    source.close();
    live.hidden = true;
    said.textContent = JSON.parse(event.data).message;
  });
}
