//! The user's side: handlers and the layers that wrap them.
