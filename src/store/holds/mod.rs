//! Access requests, which start the hold on the web (R6, R7, R8).

pub mod access_requests;
