"""Tiny random models of the families that councils may bring as a base; nothing is downloaded."""

from __future__ import annotations

from typing import Any

VOCABULARY = 8192
_COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 256,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1, "tie_word_embeddings": False,
}  # fmt: skip
_EXPERTS: dict[str, Any] = {
    "num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 48,
    "decoder_sparse_step": 1, "mlp_only_layers": [],
}  # fmt: skip
_HYBRID_LAYERS = ["linear_attention", "full_attention"]
# family: (transformers' model type, what differs)
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama, Salamandra": ("llama", {}),
    "Llama, tied": ("llama", {"tie_word_embeddings": True}),
    "Mistral": ("mistral", {"sliding_window": None}),
    "Qwen 2": ("qwen2", {}),
    "Qwen 3": ("qwen3", {}),
    "Gemma": ("gemma", {}),
    "Gemma 2": ("gemma2", {"query_pre_attn_scalar": 16, "sliding_window": 256}),
    "Gemma 3 text": ("gemma3_text", {"query_pre_attn_scalar": 16, "sliding_window": 256}),
    "Phi": ("phi", {"num_key_value_heads": 4}),
    "Phi 3": ("phi3", {}),
    "Granite": ("granite", {"logits_scaling": 2.0, "residual_multiplier": 0.5}),
    "OLMo 2": ("olmo2", {}),
    "SmolLM 3": ("smollm3", {}),
    "Cohere 2": ("cohere2", {"sliding_window": 256}),
    "StableLM": ("stablelm", {}),
    "StarCoder 2": ("starcoder2", {}),
    "GPT-NeoX": ("gpt_neox", {}),
    "Mixtral": ("mixtral", _EXPERTS),
    "Qwen 3 MoE": ("qwen3_moe", _EXPERTS),
    "GPT-OSS": ("gpt_oss", _EXPERTS | {"sliding_window": 256}),
    "Granite hybrid": (
        "granitemoehybrid",
        _EXPERTS | {
            "layer_types": ["mamba", "attention"], "shared_intermediate_size": 96, "mamba_n_heads": 8,
            "mamba_d_head": 16, "mamba_d_state": 16, "mamba_n_groups": 1, "mamba_expand": 2,
        },
    ),
    "LFM 2": ("lfm2", {"layer_types": ["conv", "full_attention"], "block_auto_adjust_ff_dim": False}),
    "Qwen 3 Next": (
        "qwen3_next",
        _EXPERTS | {
            "layer_types": _HYBRID_LAYERS, "shared_expert_intermediate_size": 48, "linear_num_key_heads": 2,
            "linear_num_value_heads": 4, "linear_key_head_dim": 16, "linear_value_head_dim": 16,
        },
    ),
    "Mamba": ("mamba", {"state_size": 8, "expand": 2}),
}  # fmt: skip


def build(family: str) -> Any:
    """A model of ``family`` with random weights, the same each time."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    kind, changes = FAMILIES[family]
    torch.manual_seed(7)
    config: Any = AutoConfig.for_model(kind, **(_COMMON | changes))
    return AutoModelForCausalLM.from_config(config)


def build_multimodal() -> Any:
    """A Gemma 3 with eyes: what ``AutoModelForCausalLM`` makes of its 4B and larger."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    text = {k: v for k, v in _COMMON.items() if k != "tie_word_embeddings"}
    sight = {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2,
        "image_size": 28, "patch_size": 14,
    }  # fmt: skip
    torch.manual_seed(7)
    config: Any = AutoConfig.for_model(
        "gemma3",
        text_config=text | {"query_pre_attn_scalar": 16, "sliding_window": 256},
        vision_config=sight,
        mm_tokens_per_image=4,
    )
    return AutoModelForCausalLM.from_config(config)
