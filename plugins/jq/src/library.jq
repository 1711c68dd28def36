# What jq has and jaq's library has not, or in a narrower form. Sources: the manual of jq 1.8,
# https://jqlang.org/manual/v1.8/.

# Objects and entries: jq takes the names of keys and values in several spellings.
def from_entries: reduce .[] as $entry ({}; . + {
  ($entry
    | if .key == null then .k // .name // .Name // .K // .Key else .key end
    | if isstring then . else tojson end):
  ($entry | if has("value") then .value elif has("v") then .v else .Value end)
});
def with_entries(f): to_entries | map(f) | from_entries;
def del(f): delpaths([path(f)]);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);
def IN(stream): any(stream == .; .);
def IN(source; stream): any(source == stream; .);
def leaf_paths: paths(scalars);
def toarray: if isarray then . else [.] end;

# Strings.
def ascii: [.] | implode;
def trimstr($affix): ltrimstr($affix) | rtrimstr($affix);
def @csv: [.[] |
    if isnumber or isboolean then tostring
  elif . == null then ""
  elif isstring then "\"" + gsub("\""; "\"\"") + "\""
  else error(type + " (" + tojson + ") is not valid in a csv row") end
] | join(",");
def @tsv: [.[] |
    if isnumber or isboolean then tostring
  elif . == null then ""
  elif isstring then
    gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
  else error(type + " (" + tojson + ") is not valid in a tsv row") end
] | join("\t");

# Dates, in seconds since 1970.
def date: todate;
def dateadd(unit; $n): . + $n;
def datesub(unit; $n): . - $n;

# Streams.
def tostream:
  path(def rec: (.[]? | rec), .; rec) as $p
  | getpath($p)
  | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def fromstream(stream):
  { value: null, emit: false } as $init
  | foreach stream as $event ($init;
      if .emit then $init end
      | if $event | length == 2
        then .emit = ($event[0] | length == 0) | setpath(["value"] + $event[0]; $event[1])
        else .emit = ($event[0] | length == 1) end;
      if .emit then .value else empty end);
def truncate_stream(stream):
  . as $depth | stream | select(.[0] | length > $depth) | .[0] |= .[$depth:];
