//! A real operator on a control plane of its own: see `testing/fault-matrix/`.

mod crash_points;
mod docketctl;
mod examples;
mod rights;
mod said_out_loud;
mod spec_text;
