//! The contract `baton:expression`, in terms of [`crate::filter`].

use exports::baton::expression::evaluator;

wit_bindgen::generate!({
    path: "../../wit/expression",
    world: "language",
});

struct Language;

impl evaluator::Guest for Language {
    type Filter = crate::Filter;
}

impl evaluator::GuestFilter for crate::Filter {
    fn compile(
        source: String,
        variables: Vec<String>,
    ) -> Result<evaluator::Filter, evaluator::SyntaxError> {
        crate::Filter::compile(&source, &variables)
            .map(evaluator::Filter::new)
            .map_err(|error| evaluator::SyntaxError {
                message: error.message,
                start: error.start as u32,
                end: error.end as u32,
            })
    }

    fn evaluate(&self, input: String, values: Vec<String>) -> Result<String, String> {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        crate::Filter::evaluate(self, &input, &values)
    }
}

export!(Language);
