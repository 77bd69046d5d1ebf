"""What happens: studies, conversations, the engine that runs them, measurement, reports and the command line."""
