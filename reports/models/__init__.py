"""Tables of reports: what was told to whom, which files it was, and when it is due."""

from reports.models.deadline import Obligation, Reminder, WorkingDayException
from reports.models.job import Job
from reports.models.report import SETTLED, TOLD, UNTOLD, Report, ReportFile

__all__ = [
    "SETTLED",
    "TOLD",
    "UNTOLD",
    "Job",
    "Obligation",
    "Reminder",
    "Report",
    "ReportFile",
    "WorkingDayException",
]
