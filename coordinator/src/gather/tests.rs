//! The gather as a whole: the table, the rows that need a story of their own, order, crashes, and
//! what keeps a replay short.

mod carrying;
mod crashes;
mod openings;
mod orders;
mod owners;
mod rules;
mod spilling;
mod table;
mod time;
mod words;
