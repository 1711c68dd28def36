//! The host's side of the interfaces that no crate implements for us, generated from `wit/`.

#![allow(unsafe_code, missing_docs, unreachable_pub, reason = "generated code")]
#![allow(clippy::all, clippy::pedantic, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package baton:host;
        world host {
            import baton:connector/call@1.0.0;
            import baton:connector/secrets@1.0.0;
            import baton:connector/cache@1.0.0;
            import baton:connector/tcp@1.0.0;
            import baton:connector/process@1.0.0;
            import baton:connector/items@1.0.0;
            import wasi:logging/logging@0.1.0-draft;
            import wasi:config/store@0.2.0-rc.1;
        }
    ",
    imports: {
        "baton:connector/tcp.connect": async | trappable,
        "baton:connector/process.[static]child.spawn": async | trappable,
        "baton:connector/process.[method]child.wait": async | trappable,
        "baton:connector/items.push": async | trappable,
        "baton:connector/secrets.reveal": async | trappable,
        default: trappable,
    },
    with: {
        "wasi:io": wasmtime_wasi_io::bindings::wasi::io,
        "baton:connector/process.child": crate::capability::process::Child,
    },
});
