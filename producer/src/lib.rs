//! Work items enter: sources, keys, pacing, publishing.
