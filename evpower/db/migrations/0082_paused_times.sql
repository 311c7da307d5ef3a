-- When our grant to a charge was 0: from its acknowledgement to the next one's, or to the end of its lease; of the one in a
-- start from the charge's begin. As pairs of seconds of the epoch. Such minutes are not billed (roadmap/smart-charging §5).
CREATE FUNCTION evpower.paused_times(of_session text, began timestamptz) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_agg(json_build_array(extract(epoch FROM since), extract(epoch FROM ends)) ORDER BY since)
    FROM (SELECT since, current_da, least(lease_ends, lead(since) OVER (ORDER BY since, id)) AS ends
          FROM (SELECT id, current_da, coalesce(acked_at, began) AS since,
                       CASE WHEN transaction IS NULL THEN began + make_interval(secs => lease_s) ELSE lease_until END
                           AS lease_ends
                FROM evpower.power_grants
                WHERE session_id = of_session AND (state = 'accepted' OR (state = 'sent' AND transaction IS NULL))) held
         ) times
    WHERE current_da = 0 AND ends > since
$$;
