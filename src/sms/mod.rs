//! SMS: gateway, dispatcher.
