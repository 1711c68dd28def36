//! The types of the contract, as wit-bindgen makes them.
#![allow(missing_docs, reason = "generated; `wit/` has the documentation")]

wit_bindgen::generate!({
    path: ["../../wit", "wit"],
    world: "baton:scim/connector",
    generate_all,
    pub_export_macro: true,
});
