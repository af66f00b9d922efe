# English. The notes in da.ftl apply here too.

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
sms_witnessed = MitID: You were a witness for another person at Citizen Service { $date } { $time }{ $zone ->
        [danish] {" "}Danish time
       *[local] {""}
    }. Not you? Call { -support }

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

## Refusals

-fault = There is a fault in the system that was used. Try again later, or call { -support }.
-counter = Book an appointment at Citizen Service, and bring valid identification
-busy = We are busy just now. Try again in a moment.
-verify = Your identity must be confirmed again.

refusal_invalid_field = Some of the details cannot be right. Correct them, and try again.
refusal_request_id_reused = { -fault }
refusal_caller_unknown = { -fault }
refusal_caller_not_allowed = { -fault }
refusal_method_unknown = { -fault }
refusal_message_too_large = { -fault }
refusal_identity_not_confirmed = Your identity could not be confirmed. { -counter }.
refusal_insufficient_data = There are too few details to confirm your identity by questions. { -counter } and a witness.
refusal_login_not_accepted = Your login could not be used. Log in again.
refusal_login_too_old = You logged in too long ago. Log in again.
refusal_assurance_too_low = Your login is not secure enough. Log in again in another way, such as with a code display.
refusal_agent_not_accepted = This member of staff cannot help you with this. Ask for another.
refusal_document_not_accepted = Your identification cannot be used. Bring other valid identification.
refusal_witness_not_accepted = The witness cannot be used. Bring another witness.
refusal_witness_login_not_accepted = The login of the witness cannot be used. The witness must log in again with MitID.
refusal_too_young = You are too young to get a temporary PIN code.
    .until = You are too young to get a temporary PIN code. You can get it from { $date }.
refusal_person_dead = No temporary PIN code can be issued to this person. If that is a mistake, call { -support }.
refusal_person_disappeared = { refusal_person_dead }
refusal_cpr_number_not_valid = The CPR number is not valid. Contact the municipality.
refusal_counter_only = You can get a temporary PIN code only in person. { -counter }.
refusal_mitid_not_active = Your MitID is not active. { -counter }.
refusal_no_mobile_number = No mobile number is registered with your MitID. You can get an activation code on paper. { -counter }.
refusal_mobile_number_not_allowed = The PIN code cannot be sent to the mobile number registered with your MitID. Register another number.
refusal_mobile_number_changed_recently = The mobile number of your MitID was changed recently. { -counter }.
    .until = The mobile number of your MitID was changed recently. { -counter }, or wait until { $date } at { $time } Danish time.
refusal_person_blocked = No temporary PIN code can be issued to you. Call { -support }.
refusal_cpr_status_unclear = The CPR register does not show where you live. { -counter }.
refusal_in_person_only = You must come in person to get a temporary PIN code. { -counter }.
refusal_access_not_requested = You have not asked for a temporary PIN code, or it was stopped. Log in, and ask for it.
refusal_hold_running = The wait is not over yet. Come back later.
    .until = The wait is not over yet. Come back on { $date } at { $time } Danish time.
refusal_access_expired = The time for ordering has run out. Log in, and ask for a temporary PIN code again.
refusal_login_again = The wait is over. Log in again to order.
refusal_verification_unknown = { -verify }
refusal_verification_not_confirmed = Your identity is not confirmed yet. Answer the questions first.
refusal_verification_expired = { -verify }
refusal_verification_used = { -verify }
refusal_verification_limit = Confirming the identity was tried too often. Try again later.
    .until = Confirming the identity was tried too often. Try again on { $date } at { $time } Danish time.
refusal_person_limit = You have had as many temporary PIN codes as you can get. Try again later.
    .until = You have had as many temporary PIN codes as you can get. Try again on { $date } at { $time } Danish time.
refusal_mobile_limit = As many temporary PIN codes as possible were sent to the mobile number. Try again later.
    .until = As many temporary PIN codes as possible were sent to the mobile number. Try again on { $date } at { $time } Danish time.
refusal_agent_limit = This member of staff can do no more for you just now. Ask for another, or try again later.
    .until = This member of staff can do no more for you just now. Ask for another, or try again on { $date } at { $time } Danish time.
refusal_caller_limit = { -busy }
refusal_service_limit = { -busy }
refusal_overloaded = { -busy }
refusal_busy = { -busy }
refusal_wrong_try_limit = A wrong temporary PIN code was tried too often. Try again later.
    .until = A wrong temporary PIN code was tried too often. Try again on { $date } at { $time } Danish time.
refusal_unavailable = The service does not answer just now. Try again in a moment.
refusal_deadline_exceeded = It took too long. Try again.
refusal_internal = { -fault }
