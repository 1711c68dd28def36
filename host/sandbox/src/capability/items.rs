//! `baton:connector/items`: the items of a call that goes on.

use wasmtime::component::{HasData, Linker};

use super::{Moments, Preparation};
use crate::bindings::baton::connector::items;
use crate::context::Items as Place;
use crate::state::{Bounds, State};
use crate::{GrantError, GrantSpec};

/// The capability.
pub(crate) struct Items;

/// Where the items of a call go.
pub(crate) struct Outlet {
    place: Option<Place>,
    used: bool,
}

impl Outlet {
    /// Whether the call has handed over an item, or wanted to. Whether it is to go on differs each time.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }
}

impl Moments for Items {
    const INTERFACES: &'static [&'static str] = &["baton:connector/items"];
    type Granted = ();
    type Prepared = Outlet;

    fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
        items::add_to_linker::<State, Self>(linker, |state| View {
            outlet: &mut state.capabilities.items,
            bounds: &mut state.bounds,
        })
    }

    fn configure(_: &GrantSpec) -> Result<(), GrantError> {
        Ok(())
    }

    fn prepare((): &(), call: &Preparation<'_>) -> Outlet {
        Outlet {
            place: call.context.items.clone(),
            used: false,
        }
    }
}

/// What the function works on.
pub(crate) struct View<'a> {
    outlet: &'a mut Outlet,
    bounds: &'a mut Bounds,
}

impl HasData for Items {
    type Data<'a> = View<'a>;
}

impl items::Host for View<'_> {
    async fn push(&mut self, item: String) -> wasmtime::Result<bool> {
        self.outlet.used = true;
        let Some(place) = &self.outlet.place else {
            return Ok(false);
        };
        let item = serde_json::from_str(&item).map_err(|error| {
            wasmtime::format_err!("an item that it handed over is no JSON: {error}")
        })?;
        // What it came from must not hear that it has been taken: the call ends, and whoever makes it again has it again.
        let more = place.push(item).await.ok_or_else(|| {
            wasmtime::format_err!("nobody is left to take the item that it handed over")
        })?;
        // A subscription goes on for as long as it is wanted: it is bounded from one message to the next.
        self.bounds.renew();
        Ok(more)
    }
}
