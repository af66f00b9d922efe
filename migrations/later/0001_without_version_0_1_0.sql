-- For when no instance of version 0.1.0 runs any more. `temporary-pin migrate` does not apply it yet.
--
-- Orders that issue a PIN then write no row in `requests` and do not update `verifications`. Both tables keep the rows of
-- orders that were answered with an open PIN.
DROP TRIGGER pin_requests_tell_version_0_1_0 ON pin_requests;
DROP FUNCTION tell_version_0_1_0();
