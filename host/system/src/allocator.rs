//! What the system's allocator is told.

/// Has it join what is freed with what is free beside it at once.
///
/// glibc's puts that off for small pieces, and does it for all of them when somebody wants, or frees, a large one. With many
/// runs in memory that takes some milliseconds, in which all threads wait that want memory of the same arena. It keeps a few
/// pieces of each size at hand for each thread all the same, so that nothing is slower. (`M_MXFAST`, mallopt(3))
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "no library in the tree has this call")]
pub fn join_at_once() {
    // SAFETY: it sets a number by which memory is kept that is free.
    let is_set = unsafe { libc::mallopt(libc::M_MXFAST, 0) };
    debug_assert_eq!(is_set, 1, "glibc takes it");
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn join_at_once() {}
