//! Tables: plain, aligned with spaces, so that `awk` and people can read them.

use super::text::tame;

/// How wide a cell may get; what is longer is cut.
const CELL_WIDTH_MAX: usize = 80;

/// Rows under a header.
pub(crate) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(header: impl Into<Vec<&'static str>>) -> Self {
        Self {
            header: header.into(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, with a cell for each column of the header.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells
            .into_iter()
            .map(|cell| tame(&cell, CELL_WIDTH_MAX))
            .collect();
        debug_assert_eq!(cells.len(), self.header.len());
        self.rows.push(cells);
    }
}

/// The lines, each with its end. Just the header where there is no row.
impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let header: Vec<String> = self.header.iter().map(|name| name.to_uppercase()).collect();
        let lines = || std::iter::once(&header).chain(&self.rows);
        let widths: Vec<usize> = (0..header.len())
            .map(|column| {
                lines()
                    .map(|line| line[column].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for line in lines() {
            let cells = line
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_its_columns() {
        let mut table = Table::new(["name", "status", "note"]);
        table.row(["hello".into(), "completed".into(), String::new()]);
        table.row(["onboard-employee".into(), "faulted".into(), "a\nb".into()]);
        insta::assert_snapshot!(table.to_string(), @r"
        NAME              STATUS     NOTE
        hello             completed
        onboard-employee  faulted    a b
        ");
    }
}
