"""The words of cues, in lower case with one space between words; every gap is bounded."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["instruction", "concealment", "url", "secret"]

_GAP: Final = r"(?:[\w'/-]+[,:]? ){0,4}"
_VERBS: Final = (
    r"(?:call|invoke|use|run|execute|include|append|send|pass|add|read|fetch|forward|copy|attach|"
    r"provide|perform|ensure|respond|reply|output|access|first)"
)
_ACTOR: Final = (
    r"(?:the |this |any |you,? the |as an? )?(?:ai|assistant|agent|model|llm|chatbot|claude|gpt)"
)

_WORDS: Final[tuple[tuple[Kind, str], ...]] = (
    # Addressed to a model, not to who reads the documentation.
    ("instruction", (rf"\b(?:ignore|disregard|forget|override|bypass) {_GAP}"
     r"(?:previous|prior|above|earlier|preceding|other|all|any|system|safety) "
     rf"{_GAP}(?:instruction|rule|prompt|guideline|message|polic|restriction|direction|tool)")),
    ("instruction", rf"\byou (?:must|should|shall|have to|need to|are required to|are to)(?: (?:also|always|never|first|then|not))? {_GAP}{_VERBS}\b"),
    ("instruction", rf"\b(?:always|never|must (?:also|always|first)|be sure to|make sure to|remember to) {_VERBS}\b"),
    ("instruction", rf"\b{_ACTOR}(?: system)? (?:must|should|shall|has to|needs to|is required|will|also has to|also must|is to|is expected)\b"),
    ("instruction", (rf"\b(?:before|prior to|after|whenever|when|while|in order to|each time|every time) {_GAP}"
     r"(?:using|calling|invoking|running|executing|use|call|invoke|run) "
     rf"{_GAP}(?:tools?|functions?|anything else|other|this one)\b")),
    ("instruction", rf"\b(?:before|prior to|precedes?|preceded|ahead of) (?:any|every|each|all) {_GAP}(?:operations?|calls?|requests?|actions?|invocations?|use|tools?)\b"),
    ("instruction", r"\b(?:do|perform|complete|run|call) (?:this|that|it|these) (?:first|beforehand|before)\b|\bis preceded by\b|\bpre-?requisite (?:action|step|call)\b"),
    ("instruction", r"\bplease (?!note\b|refer\b|see\b|contact\b)(?:also |first |always |securely |immediately |make sure |ensure )?[a-z]{3,}"),
    ("instruction", r"\b(?:before|prior to) (?:using|calling|invoking|running|executing) [`'\"]?[a-z0-9]+_[a-z0-9_]+"),
    ("instruction", r"\bwhen(?:ever)? this tool is (?:available|present|loaded|listed|enabled|used|called|invoked)\b"),
    ("instruction", r"\b(?:use|call|invoke|prefer|choose) (?:this|it|this tool|this one) (?:tool )?(?:instead|over|rather than|in place of|before)\b"),
    ("instruction", r"\binstead of (?:using|calling|invoking|the other|any other)\b"),
    ("instruction", r"</?(?:important|system|instructions?|assistant|user|admin|secret|hidden|critical|sys|inst)\b[^>]{0,40}>"),
    ("instruction", r"\[/?(?:system|inst|important|admin|assistant)[^\]]{0,20}\]|<\|[a-z_]{2,20}\|>|### ?(?:system|instruction|assistant)"),
    ("instruction", r"\b(?:system|developer|hidden|new|updated|special) (?:prompt|instructions?|note|directive|override)\b"),
    ("instruction", r"\b(?:mandatory|required|necessary|important|critical|compulsory) (?:[\w-]+ ){0,2}(?:step|pre-?requisite|precondition|instruction|note to|for the (?:ai|assistant|agent|model))"),
    ("instruction", (r"\b(?:then|and|also|must|to) (?:send|forward|upload|post|transmit|e-?mail|exfiltrate|leak|copy|report|bcc) "
     rf"(?:it|them|this|these|all|the|its|their|any|every|a copy) {_GAP}(?:to|at|via) ")),
    ("instruction", r"\b(?:take care of|carry out|complete|do) the following\b"),
    ("instruction", (r"\b(?:pass|put|place|include|insert|write|provide) (?:its|the|their|all|any|that|this) "
     rf"{_GAP}(?:content|contents|conversation|history|chat|messages|context|prompt|file) {_GAP}(?:as|in|into|to|here|with)\b")),
    # Kept from the user.
    ("concealment", (rf"\b(?:do not|don't|never|not to|must not|should not|without|avoid|no need to) {_GAP}"
     r"(?:tell|telling|mention|mentioning|inform|informing|reveal|revealing|disclose|disclosing|notify|notifying|alert|alerting|"
     r"show|showing|display|displaying|ask|asking|say|saying|report|explain|explaining|log|logging|bother|warn|warning|"
     r"discuss|acknowledge|acknowledging)\b")),
    ("concealment", (r"\b(?:silently|secretly|covertly|discreetly|quietly|stealthily|in the background|unnoticed|undetected|"
     r"behind the scenes|invisibl[ey]|hidden from|keep (?:this|it|that) (?:secret|hidden|confidential|private)|"
     r"user (?:must|should|does|need) not (?:know|see|be)|not be (?:visible|shown|mentioned|told|aware))\b")),
    ("concealment", r"<!--|\[//\]: ?#|\\x1b\[|\\u001b|\\033\[|\\u200b|\\u202e|display: ?none|font-size: ?0"),
    # Where something may be sent, or come from.
    ("url", r"\b(?!https?://json-schema\.org/)[a-z][a-z0-9+.-]{1,15}://[^\s\"'`<>)\]}]{1,200}|\bdata:[a-z]+/[a-z0-9.+-]+[;,]"),
    ("url", r"\b[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,6}\b"),
    ("url", r"(?<![\w@./-])(?:[a-z0-9-]{1,63}\.){1,6}(?:com|net|org|io|dev|app|ai|co|xyz|ru|cn|me|info|site|top|cloud|online|tech|biz|us|uk|de)\b(?![\w(])"),
    ("url", r"(?<![\w.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\w.])"),
    # What is worth stealing.
    ("secret", r"(?<![a-z0-9])\.(?:ssh|env|aws|npmrc|netrc|pypirc|git-credentials|kube|gnupg|docker|bash_history|zsh_history|pgpass)\b"),
    ("secret", r"\bid_(?:rsa|ed25519|ecdsa|dsa)\b|\bauthorized_keys\b|/etc/(?:passwd|shadow|sudoers)|\bmcp\.json\b|claude_desktop_config"),
    ("secret", r"(?<![a-z0-9])(?:passwords?|passwd|passphrases?|credentials?|secrets?|cookies?|keychain|mnemonic|seed phrase)(?![a-z0-9])"),
    ("secret", r"(?<![a-z0-9])(?:api|access|auth|private|secret|ssh|signing|encryption|bearer|session|refresh|oauth)[ _-]?(?:keys?|tokens?)(?![a-z0-9])"),
    ("secret", r"(?<![a-z0-9])(?<!max[ _-])(?<!page[ _-])(?<!next[ _-])token(?![a-z0-9])(?![ _-]?(?:count|limit|budget|usage|size|length|s\b))"),
)  # fmt: skip

PATTERNS: Final = tuple((kind, re.compile(pattern)) for kind, pattern in _WORDS)
