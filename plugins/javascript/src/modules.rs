//! `import`: the modules that `node.js` has, under their names with and without `node:`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::rc::Rc;

use boa_engine::module::{ModuleLoader, ModuleRequest, Referrer, SyntheticModuleInitializer};
use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsNativeError, JsObject, JsResult, JsString, Module, js_string};

/// The modules that there are, by name.
#[derive(Default)]
pub(crate) struct Modules(RefCell<BTreeMap<String, Module>>);

impl ModuleLoader for Modules {
    fn load_imported_module(
        self: Rc<Self>,
        _: Referrer,
        request: ModuleRequest,
        _: &RefCell<&mut Context>,
    ) -> impl Future<Output = JsResult<Module>> {
        let name = request.specifier().to_std_string_lossy();
        let modules = self.0.borrow();
        let found = modules.get(&name).cloned().ok_or_else(|| {
            let there: Vec<&str> = modules.keys().map(String::as_str).collect();
            let message = format!(
                "Cannot find module '{name}': a script has no packages; there are {}",
                there.join(", ")
            );
            JsNativeError::error().with_message(message).into()
        });
        ready(found)
    }
}

/// Makes each member of `modules` a module: the member itself as `default`, and each member of it by name.
pub(crate) fn provide(modules: &JsObject, loader: &Modules, context: &mut Context) -> JsResult<()> {
    for name in names(modules, context)? {
        let exports = modules.get(name.clone(), context)?;
        let Some(exports) = exports.as_object() else {
            continue;
        };
        let mut keys = names(&exports, context)?;
        keys.push(js_string!("default"));
        let initializer = SyntheticModuleInitializer::from_copy_closure_with_captures(
            |module, exports: &JsObject, context| {
                module.set_export(&js_string!("default"), exports.clone().into())?;
                for name in names(exports, context)? {
                    let value = exports.get(name.clone(), context)?;
                    module.set_export(&name, value)?;
                }
                Ok(())
            },
            exports.clone(),
        );
        let module = Module::synthetic(&keys, initializer, None, None, context);
        let name = name.to_std_string_lossy();
        let mut loader = loader.0.borrow_mut();
        loader.insert(format!("node:{name}"), module.clone());
        loader.insert(name, module);
    }
    Ok(())
}

/// The names of an object's members that are no symbols.
fn names(object: &JsObject, context: &mut Context) -> JsResult<Vec<JsString>> {
    let keys = object.own_property_keys(context)?;
    let names = keys.into_iter().filter_map(|key| match key {
        PropertyKey::String(name) => Some(name),
        _ => None,
    });
    Ok(names.collect())
}
