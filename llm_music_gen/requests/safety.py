"""Takes out of a request what is no request for sound: commands for a shell, orders to forget the rules, foreign protocols."""

# ruff: noqa: E501 - patterns and lists of words are easier to read whole

from __future__ import annotations

import re

_PARTS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"`[^`]*`?",
        r"\$\([^)]*\)?|\$\{[^}]*\}?",
        r"<\s*/?\s*(?:script|system|assistant|user|im_start|im_end|tool)[^>]*>|<\|[^|]*\|>",
        r"(?:[;&|]+\s*|\b(?:and |then )?(?:please )?(?:run|execute|exec|eval|call)\s+(?:the )?(?:shell |terminal )?(?:command )?[\"']?)"
        r"(?:sudo\s+)?(?:rm|curl|wget|bash|sh|cat|chmod|chown|dd|mkfs|powershell|cmd|del|rmdir|format|shutdown|nc|ssh|python3?|perl|ffmpeg|eval|echo|ls|touch|mv|cp|kill|reg)\b[^,.\n]*?(?=\s(?:and|then)\s|,|$|\n)",
        r"\b(?:sudo\s+)?rm\s+-\w+[^,\n]*?(?=\s(?:and|then|but)\s|,|$|\n)",
        r"\bsudo\s+\S+(?:\s+-\S+)*",
        r"\b(?:os\.system|subprocess\.\w+|__import__|eval|exec|system)\s*\([^)]*\)?",
        r"\bdrop\s+table\b[^,.;\n]*|\bunion\s+select\b[^,.;\n]*",
        r"\b(?:please )?(?:ignore|disregard|forget|override|bypass)\s+(?:all\s+|any\s+)?(?:of\s+)?(?:your|the|my|all|previous|prior|above|earlier|these|those|safety)\s*(?:previous\s+|prior\s+|safety\s+|system\s+)?"
        r"(?:rules?|instructions?|prompts?|guidelines|restrictions|guardrails|training|everything|constraints)?(?:\s+(?:above|before))?",
        r"\byou are now\b[^,.;\n]*|\bpretend (?:to be|you are|you have no)\b[^,.;\n]*|\b(?:print|reveal|show|repeat|output) (?:me )?(?:your |the )?(?:system )?prompt\b|\bjailbreak\b|\bdeveloper mode\b|\badmin mode\b",
        r"\b(?:file|concat|pipe|subfile|data|gopher|ftp|smb|tcp|udp|rtmp|crypto|javascript):(?:[/\\|]{0,3})\S+",
        r"(?<!\w)(?:/etc/|/dev/|/proc/|/sys/|/root/|/boot/|~/\.ssh)\S*|\b[a-z]:\\windows\\?\S*",
        r"(?:\.\./){1,}\S*|(?:\.\.\\)+\S*",
        r"%[0-9a-f]{2}(?:%[0-9a-f]{2})+\S*",
    )
)
_URL = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)


def without_commands(text: str) -> tuple[str, bool, bool]:
    """(what is left, whether something was taken out, whether an address of the web was among it)."""
    left = text
    for part in _PARTS:
        left = part.sub(" ", left)
    taken = left != text
    without_addresses = _URL.sub(" ", left)
    return without_addresses, taken, without_addresses != left
