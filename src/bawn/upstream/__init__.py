"""Where a call goes: servers, and how they are reached."""
