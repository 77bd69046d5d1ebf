"""Run Hugging Face models on this machine, keeping each conversation's keys and values between turns."""
