//! mimalloc in the place of the C library's allocator, for Rust and for the Kafka client, which is
//! written in C.
//!
//! Lanes, handlers and the client allocate on dozens of threads, and mostly free on another one.
//! The C library keeps an arena for each, so a worker's memory doubles; and it takes longer. What
//! Rust allocates goes the same way, by `malloc`: mimalloc's own entry for Rust, by alignment, is
//! several times as long.

/// Has the linker take mimalloc in, whose `malloc` and `free` then are everybody's.
#[used]
static TAKEN_IN: fn() -> usize = malloc;

/// Where mimalloc's `malloc` is.
fn malloc() -> usize {
    libmimalloc_sys::mi_malloc as *const () as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn everybody_allocates_by_mimalloc() {
        assert_eq!(libc::malloc as *const () as usize, malloc());
        let free = libmimalloc_sys::mi_free as *const () as usize;
        assert_eq!(libc::free as *const () as usize, free);
    }
}
