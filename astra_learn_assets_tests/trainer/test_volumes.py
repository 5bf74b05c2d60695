"""Volumes whose locks do not reach other machines are refused before anybody waits on one."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer import volumes

ROOT = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw"
PROC = "23 22 0:21 / /proc rw - proc proc rw"
EFS = "nfs4 fs-1.efs.eu-west-1.amazonaws.com:/ rw,vers=4.1,hard,local_lock=none,actimeo=1"


def mounted(volume: str, at: str = "/var/lib/queue") -> str:
    return "\n".join([ROOT, PROC, f"40 22 0:50 / {at} rw,relatime shared:1 - {volume}"])


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        (EFS, None),
        ("ceph 10.0.0.1:/volumes/queue rw,acl", None),
        ("ext4 /dev/sdb rw", None),
        ("nfs server:/queue rw,vers=3,proto=tcp,local_lock=none", None),  # lockd keeps them
        ("nfs server:/queue rw,vers=3,nolock,local_lock=all", "nfs mounted with nolock"),
        ("nfs4 server:/queue rw,vers=4.2,local_lock=flock", "nfs4 mounted with local_lock=flock"),
        ("nfs4 server:/queue rw,vers=4.2,local_lock=all", "nfs4 mounted with local_lock=all"),
        ("nfs4 server:/queue rw,vers=4.2,local_lock=posix", None),  # those are not the ones that are used
        ("cifs //server/queue rw,vers=3.1.1,uid=10001", "cifs, whose locks keep others from reading"),
        ("smb3 //server/queue rw", "smb3, whose locks keep others from reading"),
        ("tmpfs rw", None),  # without a source
    ],
)
def test_a_volume_whose_locks_stay_at_home_is_named(volume: str, said: str | None) -> None:
    assert volumes.against_locks(mounted(volume), Path("/var/lib/queue/gpu-t4")) == said
    assert volumes.against_locks(mounted(volume), Path("/var/lib/queue")) == said
    assert volumes.against_locks(mounted(volume), Path("/var/lib/queues/gpu-t4")) is None


def test_of_two_volumes_the_one_that_holds_the_folder_counts() -> None:
    inner = f"{mounted('cifs //server/x rw', '/var/lib')}\n41 40 0:51 / /var/lib/queue rw - {EFS}"
    assert volumes.against_locks(inner, Path("/var/lib/queue/gpu-t4")) is None
    assert volumes.against_locks(inner, Path("/var/lib/other")) is not None
    hidden = f"{mounted('cifs //server/x rw')}\n42 40 0:52 / /var/lib/queue rw - {EFS}"
    assert volumes.against_locks(hidden, Path("/var/lib/queue/gpu-t4")) is None


def test_a_place_with_a_space_is_found() -> None:
    table = mounted("cifs //server/x rw", r"/srv/la\040cola")
    assert volumes.against_locks(table, Path("/srv/la cola/gpu-t4")) is not None


def test_this_machines_own_table_is_read(tmp_path: Path) -> None:
    volumes.check(tmp_path / "not there yet")
