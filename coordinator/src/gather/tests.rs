//! The gather as a whole: the table, the rows that need a story of their own, order, and crashes.

mod crashes;
mod openings;
mod orders;
mod rules;
mod table;
mod time;
mod words;
