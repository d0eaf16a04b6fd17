//! A real operator on a control plane of its own: see `matrix/`.

mod crash_points;
mod docketctl;
