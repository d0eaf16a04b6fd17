//! Text in columns.

/// Lines of `rows`, each column as wide as its widest cell and the last one as long as it is.
pub(crate) fn columns<const N: usize>(indent: &str, rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let line: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{indent}{}", line.join("  ")).trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_whatever_alphabet_is_in_them() {
        let rows = [["a", "größer", "x"], ["long", "b", ""]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(columns("  ", &rows), "  a     größer  x\n  long  b\n");
    }
}
