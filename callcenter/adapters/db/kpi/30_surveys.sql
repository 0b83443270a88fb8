-- Survey results per queue, agent and day of the center: csat = satisfied (4 and 5) / answers; nps = 100 (promoters - detractors) / answers.
CREATE OR REPLACE VIEW kpi_surveys AS
SELECT queue, agent, slice_at AS day_start, question, kind, answers, satisfied, promoters, detractors,
    CASE WHEN kind = 'csat' THEN satisfied::numeric / answers END AS csat,
    CASE WHEN kind = 'nps' THEN 100 * (promoters - detractors)::numeric / answers END AS nps,
    CASE WHEN kind IN ('csat', 'nps') THEN score::numeric / answers END AS mean_score
FROM kpi_surveys_in('-infinity', 'infinity', 'day', (SELECT time_zone FROM kpi_zone));
