"""Who is calling; and what credential we present upstream."""
