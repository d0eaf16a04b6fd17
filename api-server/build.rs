//! Takes the two files of Swagger UI that the page under `/docs` needs out of the archive in which
//! a crate brings them, still compressed: nothing is downloaded.

use std::error::Error;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::{CompressionMethod, ZipArchive};

/// RFC 1952, 2.3: the magic number, deflate, no flags, no time, no hint, an unknown system.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = std::env::var("OUT_DIR")?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for wanted in ["swagger-ui-bundle.js", "swagger-ui.css"] {
        let path = format!("/dist/{wanted}");
        let index = (0..archive.len()).find(|index| {
            let name = archive.name_for_index(*index).and_then(Result::ok);
            name.is_some_and(|name| name.ends_with(&path) && name.matches('/').count() == 2)
        });
        let index = index.ok_or_else(|| format!("the archive has no {path}"))?;
        let mut file = archive.by_index_raw(index)?;
        if file.compression() != CompressionMethod::DEFLATE {
            return Err(
                format!("{path} is not deflated, so it cannot become gzip as it is").into(),
            );
        }
        let mut gzip = GZIP_HEAD.to_vec();
        file.read_to_end(&mut gzip)?;
        gzip.write_all(&file.crc32().to_le_bytes())?;
        gzip.write_all(&u32::try_from(file.size())?.to_le_bytes())?;
        std::fs::write(Path::new(&out).join(format!("{wanted}.gz")), gzip)?;
    }
    Ok(())
}
