"""What a study asks for, and the plan that it comes to."""
