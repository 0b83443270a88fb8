-- What is counted of survey answers, by the slice in which they were given. All columns but the names add up over any slices, queues and
-- agents (domain.survey_books.SurveySums). Who was asked without a talk before has an empty queue and agent.
CREATE OR REPLACE FUNCTION kpi_surveys_in(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (
    queue text, agent text, slice_at timestamptz, question text, kind text,
    answers bigint, score bigint, satisfied bigint, promoters bigint, detractors bigint
)
LANGUAGE sql STABLE AS $$
    SELECT a.queue, a.agent, kpi_slice(a.answered_at, slice, zone), a.question, a.kind,
        count(*), coalesce(sum(a.score), 0)::bigint,
        count(*) FILTER (WHERE a.kind = 'csat' AND a.score >= 4),
        count(*) FILTER (WHERE a.kind = 'nps' AND a.score >= 9),
        count(*) FILTER (WHERE a.kind = 'nps' AND a.score <= 6)
    FROM survey_answer a
    WHERE a.answered_at >= from_at AND a.answered_at < to_at
    GROUP BY 1, 2, 3, 4, 5
$$;

-- Who was asked: contacts whose callers went on into the queue's survey, and those of them that answered anything. By the slice in which the
-- contact entered its queue.
CREATE OR REPLACE FUNCTION kpi_survey_response_in(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (queue text, agent text, slice_at timestamptz, asked bigint, responded bigint)
LANGUAGE sql STABLE AS $$
    SELECT c.queue, c.agent, kpi_slice(c.entered_at, slice, zone), count(*),
        count(*) FILTER (WHERE EXISTS (SELECT FROM survey_answer a WHERE a.call_id = c.call_id AND a.contact_id = c.contact_id))
    FROM contact c
    WHERE c.entered_at >= from_at AND c.entered_at < to_at AND c.survey_offered
    GROUP BY 1, 2, 3
$$;
