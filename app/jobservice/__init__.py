"""What operators see and do about jobs, workers and schedules."""
