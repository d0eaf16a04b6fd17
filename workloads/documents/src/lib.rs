//! The workload `documents`: files with metadata.
//!
//! `workload.rs` says what the rest of the server knows of it; each of its routes is a file.

mod accepted_types;
mod byteranges;
mod change;
mod content;
mod content_answers;
mod counters;
mod data_store;
mod disposition;
mod download;
mod file_type;
mod filename;
mod filter;
mod find;
mod form_overhead;
mod inserter;
mod insertion;
mod list;
mod maintenance;
mod metadata;
mod model;
mod patch;
mod problems;
mod quota;
mod receive;
mod replace;
mod repository;
mod search;
mod state;
mod tags;
mod text;
mod trash;
mod update;
mod upload;
mod version_content;
mod version_page;
mod version_repository;
mod versions;
mod workload;

use docket_platform::middleware::scope::Scope;

use accepted_types::AcceptedTypes;
pub use counters::COUNTERS;
use file_type::FileType;
use filename::Filename;
use filter::Filter;
pub use maintenance::{Purge, Sweep};
use model::{Document, NewDocument};
use problems::PROBLEMS;
use repository::TABLE;
use search::{Query, SearchCursor};
pub use state::DocumentsSettings;
pub use text::{SUBCOMMAND, extract_text};
pub use workload::{Documents, NAME};

/// To see documents.
const READ: Scope = Scope("documents:read");
/// To store, change and delete them.
const WRITE: Scope = Scope("documents:write");
/// To see who did what with them, and to set and lift legal holds.
const ADMIN: Scope = Scope("documents:admin");

/// What entries in the audit log are about.
const SUBJECT: &str = "document";

/// What a multipart body may hold beside the file.
const ENVELOPE: u64 = 64 * 1024;
