"""From a study to its report: resources, session, executor, pipeline."""
