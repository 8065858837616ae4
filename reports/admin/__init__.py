"""Pages of reports, deadlines and jobs."""

from reports.admin import deadlines, home, jobs, reports

__all__ = ["deadlines", "home", "jobs", "reports"]
