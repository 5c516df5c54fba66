//! Counts what a WebAssembly module asks of its host.
//!
//! Source: WebAssembly Core Specification, "Binary Format", sections 5.2 and 5.5.

const MAGIC: [u8; 8] = *b"\0asm\x01\0\0\0";
const IMPORT_SECTION: u8 = 2;

/// The number of imports, or nothing where the bytes are no module.
pub fn count_imports(module: &[u8]) -> Option<u64> {
    let mut rest = module.strip_prefix(&MAGIC)?;
    while let Some((&section, after)) = rest.split_first() {
        let (length, body) = read_number(after)?;
        let length = usize::try_from(length).ok()?;
        let contents = body.get(..length)?;
        if section == IMPORT_SECTION {
            return read_number(contents).map(|(count, _)| count);
        }
        rest = &body[length..];
    }
    Some(0)
}

/// Reads an unsigned LEB128 number and returns what follows it.
fn read_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(sections: &[u8]) -> Vec<u8> {
        [&MAGIC, sections].concat()
    }

    #[test]
    fn imports_are_counted_behind_other_sections() {
        assert_eq!(count_imports(&module(&[])), Some(0));
        assert_eq!(count_imports(&module(&[1, 1, 0])), Some(0));
        let import = [1, 1, 0, 2, 7, 1, 1, b'a', 1, b'b', 0, 0];
        assert_eq!(count_imports(&module(&import)), Some(1));
    }

    #[test]
    fn broken_modules_are_told_apart_from_pure_ones() {
        assert_eq!(count_imports(b"no module"), None);
        assert_eq!(count_imports(&module(&[2, 9, 1])), None);
    }
}
