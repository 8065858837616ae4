// The page of a job that is under way looks again after three seconds.
document.addEventListener("DOMContentLoaded", () => {
    if (document.querySelector("[data-job-open]")) {
        window.setTimeout(() => window.location.reload(), 3000);
    }
});
