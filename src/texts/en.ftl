# English. The notes in da.ftl hold here too.

-support = MitID Support +45 33 98 00 10

## SMS

sms-pin = Your temporary MitID PIN code is { $pin }. It expires at { $time }{ $zone ->
        [danish] {" "}Danish time
       *[local] {""}
    }. Do not share it with anyone. Not you? Call { -support }
sms-access-requested = MitID: Someone asked for a temporary PIN code. It can be ordered from { $date } { $time }{ $zone ->
        [danish] {" "}Danish time
       *[local] {""}
    }. Not you? Stop it: Call { -support }
sms-hold-passed = MitID: Log in again and order your temporary PIN code by { $date } { $time }{ $zone ->
        [danish] {" "}Danish time
       *[local] {""}
    }. Not you? Stop it: Call { -support }

## Questions

question-previous-road = Name a road where you lived before you moved to your present address.
question-moved-in-year = In which year did you move to your present address?
question-previous-municipality = Name a municipality where you lived before.
question-birthplace = Where were you born?
question-spouse-birth-date = When was your spouse born? (day, month and year)
question-wedding-year = In which year did you marry?
question-child-birth-date = When was one of your children born? (day, month and year)
question-mother-birth-date = When was your mother born? (day, month and year)
question-father-birth-date = When was your father born? (day, month and year)
question-previous-surname = Name a surname that you had before.
