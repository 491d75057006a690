"""What is guarded: where agents read who they are, what they may do and what they start.

A pattern is a path from anywhere: `AGENTS.md` is that file in any folder, `.cursor/**` that folder and all
below it; `~` is a home directory. Components may hold `*`, and `{a,b}` stands for each. Case never counts.

Sources: the clients' own documentation on configuration, MCP, rules, memory, hooks and skills, as of
November 2026 (code.claude.com, cursor.com, code.visualstudio.com, docs.windsurf.com, kiro.dev, zed.dev,
developers.openai.com/codex, geminicli.com, docs.github.com/copilot, docs.aws.amazon.com/amazonq, docs.roocode.com,
docs.cline.bot, docs.continue.dev, opencode.ai, junie.jetbrains.com, docs.augmentcode.com, docs.warp.dev,
docs.firebender.com, agents.md, agentskills.io), git-config(1), githooks(5), bash(1), zsh(1), direnv(1).

Left out on purpose: `.pre-commit-config.yaml`, `lefthook.yml`, `package.json`, `Makefile`, CI workflows and
`.env`. They name commands, too, but are a project's everyday files, are reviewed as such, and no agent obeys
them by itself. `.husky` is guarded, for it *is* the directory of git's hooks. `.kiro/specs` and `.claude`'s
worktrees are where those agents work.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Place(msgspec.Struct, frozen=True):
    """One guarded place: which rule it falls under, where it is, and why nobody may write there."""

    rule: str
    pattern: str
    reason: str


def _places(rule: str, reason: str, *patterns: str) -> tuple[Place, ...]:
    return tuple(Place(rule, pattern, reason) for pattern in patterns)


_CODES: Final = (
    "{Code,Code - Insiders,Code - OSS,VSCodium,Cursor,Windsurf,Windsurf - Next,Kiro,Trae,Antigravity,Void,"
    "PearAI,Positron,Qoder}"
)
_DATA: Final = "{.config,Application Support,Roaming}"

_SERVERS: Final = (
    *_places(
        "agent/servers",
        "Names the MCP servers that clients start: a line in it is a command that runs.",
        "{mcp,.mcp,managed-mcp,mcp_config,mcp-config,mcp_settings,cline_mcp_settings}.json",
        "claude_desktop_config.json",
        ".mcp/**",
        ".lmstudio/**",
        ".cache/lm-studio/**",
        ".continue/mcpServers/**",
    ),
)

_DIRECTORIES: Final = (
    *_places(
        "agent/config",
        "Claude Code's settings, permissions, hooks, commands, subagents, skills, plugins, memory.",
        ".claude/**",
        ".claude.json",
        ".claude-plugin/**",
        "hooks/hooks.json",
        f"{_DATA}/{{Claude,Claude-3p}}/**",
        "{claude-code,ClaudeCode}/{managed-settings,managed-mcp,CLAUDE,managed-settings.d}*",
        "{claude-code,ClaudeCode}/managed-settings.d/**",
        "etc/claude-code/**",
    ),
    *_places(
        "agent/config",
        "An agent's own directory: its servers, rules, hooks, commands and permissions.",
        ".{cursor,windsurf,codeium,codex,gemini,continue,roo,kilocode,kilo,cline,amazonq,augment}/**",
        ".{junie,goose,opencode,crush,factory,trae,qwen,iflow,agents,agent,copilot,firebender,warp}/**",
        ".{openhands,amp,pi,qoder,codebuddy,zencoder,aiassistant,ruler,rulesync,ai-rulez,hermes}/**",
        ".{openclaw,clawdbot,moltbot,vibe,rovodev,kimi,grok,tabnine,cody,antigravity,devin,plandex}/**",
        ".aws/amazonq/**",
        ".kiro/{steering,hooks,settings,agents,powers,skills,prompts}/**",
        ".idx/{airules.md,mcp.json,dev.nix}",
        f"{_DATA}/{{opencode,crush,amp,goose,Block/goose,zed,kilo,warp-terminal,github-copilot}}/**",
        f"{_DATA}/{{codex,gemini,GeminiCli,agents,aider,mods,cagent,codebuddy,amazon-q}}/**",
        "etc/{codex,gemini-cli,opencode,crush,amp,ampcode,cursor,windsurf,copilot}/**",
        "{ProgramData,Program Files,Application Support}/{ClaudeCode,gemini-cli,GeminiCli,Cursor}/**",
        "{ProgramData,Program Files,Application Support}/{Windsurf,opencode,ampcode,Codex,OpenAI/Codex}/**",
        "Managed Preferences/*com.{anthropic,openai,cursor,todesktop,microsoft.VSCode,exafunction}*",
        "{.opencode,opencode,crush,.crush,firebender,gemini-extension,openclaw}.json",
        "opencode.jsonc",
        ".aider*",
        ".{roomodes,kilocodemodes}",
        ".roorules*",
    ),
    *_places(
        "agent/config",
        "Settings of the editor that hosts agents: they name programs, approve tools and start servers.",
        ".vscode/{mcp,settings,tasks,launch,argv}.json",
        "*.code-workspace",
        f"{_DATA}/{_CODES}/{{User,Machine}}/**",
        f"{_CODES}/User/{{settings,mcp,tasks,keybindings}}.json",
        f"{_CODES}/User/{{profiles,prompts,globalStorage}}/**",
        ".{vscode,vscode-insiders,cursor,windsurf,trae,kiro}-server/data/**",
        "etc/{vscode,vscode-insiders}/policy.json",
        ".zed/**",
        ".idea/{workspace.xml,runConfigurations,mcp.json,junie.xml,ai-assistant.xml}",
        ".idea/runConfigurations/**",
        ".devcontainer/**",
        ".devcontainer.json",
    ),
    *_places(
        "agent/config",
        "Keeps files out of agents' sight: without it they are shown secrets.",
        ".{cursor,cursorindexing,gemini,codeium,roo,cline,aider,kiro,ai,claude,copilot,continue,augment}ignore",
        ".aiexclude",
    ),
    *_places(
        "agent/config",
        "Says where packages come from: an MCP server started with npx or uvx is what it names.",
        "~/{.npmrc,.yarnrc,.yarnrc.yml,.bunfig.toml,.pypirc}",
        "{uv/uv.toml,pip/pip.conf,.pip/pip.conf,pip/pip.ini}",
    ),
)

_INSTRUCTIONS: Final = _places(
    "agent/instructions",
    "Agents obey it as their user's own words, in every later conversation.",
    "{AGENTS,AGENT,CLAUDE,GEMINI,QWEN,WARP,CRUSH,IFLOW,CODEBUDDY,CODEX,COPILOT,HERMES,SOUL,HEARTBEAT}.md",
    "{AGENTS.override,AGENTS.local,CLAUDE.local,CRUSH.local,.hermes,airules,replit}.md",
    ".{cursorrules,windsurfrules,clinerules,goosehints,rules,airules,augment-guidelines,kilocoderules}",
    ".{clinerules,cursorrules,windsurfrules,goosehints,kilocoderules}/**",
    ".{clinerules,windsurfrules,cursorrules,kilocoderules,junierules}-*",
    ".github/{copilot-instructions,git-commit-instructions}.md",
    ".github/{instructions,prompts,chatmodes,agents,copilot,aw}/**",
    ".github/workflows/{copilot-setup-steps.*,*.lock.yml}",
    ".github/mcp.json",
)

_SKILLS: Final = _places(
    "agent/skills",
    "A skill: instructions and scripts that agents take up by themselves.",
    "SKILL.md",
    ".github/skills/**",
)

_HOOKS: Final = (
    *_places(
        "agent/hooks",
        "Runs by itself when an agent, or git on its behalf, does something.",
        ".github/hooks/**",
        ".husky/**",
        ".githooks/**",
        "*.git/hooks/**",
        ".git/modules/**",
        ".git/worktrees/**",
    ),
    *_places(
        "agent/git",
        "git's settings name programs that it runs: hooks, pagers, editors, filters, helpers.",
        "*.git/{config,config.worktree}",
        "*.git/info/**",
        ".gitconfig",
        ".config/git/**",
        "etc/gitconfig",
    ),
)

_STARTUP: Final = _places(
    "agent/startup",
    "Runs in each shell that an agent or an MCP server starts.",
    ".{bashrc,bash_profile,bash_login,bash_logout,bash_aliases,profile,kshrc,cshrc,tcshrc,login}",
    ".{zshrc,zshenv,zprofile,zlogin,zlogout,pam_environment,xprofile,xsessionrc,envrc}",
    ".config/{fish/config.fish,direnv/direnvrc,direnv/direnv.toml,nushell/env.nu,nushell/config.nu}",
    ".config/{fish/conf.d,fish/functions,environment.d,direnv/lib,powershell}/**",
    "{PowerShell,WindowsPowerShell}/*profile.ps1",
    "etc/{profile,bash.bashrc,bashrc,zshenv,zshrc,zprofile,environment,direnv}",
    "etc/{profile.d,zsh,fish}/**",
    ".direnvrc",
)

_GATE: Final = _places(
    "agent/gate",
    "bawn's own configuration, policies and state: whoever writes them decides what the gate lets through.",
    "bawn.{yaml,yml,lock}",
    ".bawn/**",
    "{.config,Application Support,Roaming,.local/share,.local/state,etc}/bawn/**",
)

PLACES: Final[tuple[Place, ...]] = (
    *_SERVERS,
    *_INSTRUCTIONS,
    *_SKILLS,
    *_HOOKS,
    *_STARTUP,
    *_GATE,
    *_DIRECTORIES,
)

GIT_KEYS: Final = (
    "core.hookspath",
    "core.fsmonitor",
    "core.sshcommand",
    "core.editor",
    "core.pager",
    "core.askpass",
    "core.gitproxy",
    "core.attributesfile",
    "core.worktree",
    "sequence.editor",
    "init.templatedir",
    "gpg.program",
    "gpg.ssh.program",
    "uploadpack.packobjectshook",
    "diff.external",
    "interactive.difffilter",
)
"""Settings of git that name a program or a place of programs (git-config(1))."""

GIT_FAMILIES: Final = (
    ("alias.", ""),
    ("include.", "path"),
    ("includeif.", ".path"),
    ("filter.", ""),
    ("pager.", ""),
    ("credential.", "helper"),
    ("diff.", ".textconv"),
    ("diff.", ".command"),
    ("merge.", ".driver"),
    ("difftool.", ".cmd"),
    ("mergetool.", ".cmd"),
    ("remote.", ".vcs"),
    ("remote.", ".uploadpack"),
    ("remote.", ".receivepack"),
    ("submodule.", ".update"),
    ("url.", ".insteadof"),
)
"""The like, as beginnings and ends of keys."""


def names_program(key: str) -> bool:
    """Whether a setting of git's makes it run something, or take it from elsewhere."""
    folded = key.strip().casefold()
    if folded in GIT_KEYS:
        return True
    return any(folded.startswith(head) and folded.endswith(tail) for head, tail in GIT_FAMILIES)
