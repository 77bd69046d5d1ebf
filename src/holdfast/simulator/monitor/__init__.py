"""How a run stands: progress, speed, heartbeat, status."""
