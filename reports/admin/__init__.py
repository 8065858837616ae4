"""Pages of reports, deadlines and jobs."""

from reports.admin import deadlines, jobs, reports

__all__ = ["deadlines", "jobs", "reports"]
