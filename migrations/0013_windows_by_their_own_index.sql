-- The windows of PINs by another condition, with the same rows. With two plain conditions, a plan that is made while the table
-- is empty may read the other index, of persons or of mobile numbers, from end to end. Only the own index serves a comparison
-- of two columns. This file must not change either function's arguments or columns.

CREATE OR REPLACE FUNCTION person_pins_in_window(person bytea, at_time timestamptz, span interval)
RETURNS TABLE (create_time timestamptz) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.create_time
    FROM pin_requests p
    WHERE p.person_key = person_pins_in_window.person
        AND (p.person_key, p.create_time) > (
            person_pins_in_window.person,
            greatest(person_pins_in_window.at_time - person_pins_in_window.span, (
                SELECT r.reset_time FROM limit_resets r
                WHERE r.subject_key = person_pins_in_window.person AND r.limit_name = 'person_pins'
            ))
        );
END;

CREATE OR REPLACE FUNCTION mobile_pins_in_window(mobile bytea, at_time timestamptz, span interval)
RETURNS TABLE (create_time timestamptz) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.create_time
    FROM pin_requests p
    WHERE p.mobile_key = mobile_pins_in_window.mobile
        AND (p.mobile_key, p.create_time) > (
            mobile_pins_in_window.mobile,
            greatest(mobile_pins_in_window.at_time - mobile_pins_in_window.span, (
                SELECT r.reset_time FROM limit_resets r
                WHERE r.subject_key = mobile_pins_in_window.mobile AND r.limit_name = 'mobile_pins'
            ))
        );
END;
