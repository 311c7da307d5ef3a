-- Which process scores forecasts, until when.
ALTER TABLE evpower.forecast_watermark ADD COLUMN scoring_until timestamptz;
