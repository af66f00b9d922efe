# English. The notes in da.ftl hold here too.

-support = MitID Support +45 33 98 00 10

## SMS

sms_pin = Your temporary MitID PIN code is { $pin }. It expires at { $time }{ $zone ->
        [danish] {" "}Danish time
       *[local] {""}
    }. Do not share it with anyone. Not you? Call { -support }
sms_access_requested = MitID: Someone asked for a temporary PIN code. It can be ordered from { $date } { $time }{ $zone ->
        [danish] {" "}Danish time
       *[local] {""}
    }. Not you? Stop it: Call { -support }
sms_hold_passed = MitID: Log in again and order your temporary PIN code by { $date } { $time }{ $zone ->
        [danish] {" "}Danish time
       *[local] {""}
    }. Not you? Stop it: Call { -support }

sms_access_cancelled = MitID: Your request for a temporary PIN code has been cancelled. You can ask for access again. Questions? Call { -support }
sms_pin_revoked = MitID: Your temporary PIN code has been revoked and cannot be used. Questions? Call { -support }

## Questions

question_previous_road = Name a road where you lived before you moved to your present address.
question_moved_in_year = In which year did you move to your present address?
question_previous_municipality = Name a municipality where you lived before.
question_birthplace = Where were you born?
question_spouse_birth_date = When was your spouse born? (day, month and year)
question_wedding_year = In which year did you marry?
question_child_birth_date = When was one of your children born? (day, month and year)
question_mother_birth_date = When was your mother born? (day, month and year)
question_father_birth_date = When was your father born? (day, month and year)
question_previous_surname = Name a surname that you had before.
