"""What servers are to each other: names that collide, texts that meddle, powers that add up to harm."""
