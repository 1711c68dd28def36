// What a script finds around it: the part of Node.js that makes sense where there are no files, no network and
// no packages. Evaluated before each script, as a function of `host`:
//
//   host.write(descriptor, text)   standard output is 1, standard error 2
//   host.exit(code)                ends the script; never returns
//   host.now()                     milliseconds of a clock that only goes forward
//   host.sleep(milliseconds)
//   host.stdin, host.arguments, host.environment
//   host.offset                    how many columns stand before the script on its first line
//
// Gives back what the host needs: the modules by name, `tick`, and `describe` for what is thrown.
(function (host) {
  'use strict';

  // ---- util.inspect: values as Node.js shows them ----

  const WIDTH = 80;
  const DEPTH = 2;
  const ITEMS = 100;
  const FRAMES = 10;

  const isIdentifier = (key) => /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(key);

  function quote(text) {
    const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') ? '`' : "'";
    const named = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\b': '\\b', '\f': '\\f', '\v': '\\v', '\\': '\\\\' };
    let out = '';
    for (const char of text) {
      if (named[char]) out += named[char];
      else if (char === mark) out += '\\' + char;
      else if (char < ' ' || char === '\x7f') out += '\\x' + char.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase();
      else out += char;
    }
    return mark + out + mark;
  }

  function primitive(value) {
    switch (typeof value) {
      case 'string': return quote(value);
      case 'bigint': return `${value}n`;
      case 'symbol': return value.toString();
      case 'number': return Object.is(value, -0) ? '-0' : String(value);
      default: return String(value);
    }
  }

  function constructorName(value) {
    for (let it = value; it !== null; it = Object.getPrototypeOf(it)) {
      const own = Object.getOwnPropertyDescriptor(it, 'constructor');
      if (own && typeof own.value === 'function' && own.value.name !== '') return own.value.name;
    }
    return null;
  }

  function callableText(value) {
    const source = Function.prototype.toString.call(value);
    if (source.startsWith('class')) {
      const parent = Object.getPrototypeOf(value);
      const base = parent && parent.name ? ` extends ${parent.name}` : '';
      return `[class ${value.name || '(anonymous)'}${base}]`;
    }
    const kind = constructorName(value) || 'Function';
    return value.name ? `[${kind}: ${value.name}]` : `[${kind} (anonymous)]`;
  }

  function inspect(value, options) {
    const depth = options && 'depth' in options ? (options.depth === null ? Infinity : options.depth) : DEPTH;
    return show(value, { depth, path: [], deepest: 0 }, 0);
  }

  function show(value, state, level) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return primitive(value);
    if (state.path.includes(value)) return '[Circular *1]';
    if (value instanceof Error) return errorText(value, state, level);
    const tag = Object.prototype.toString.call(value);
    if (tag === '[object Date]') return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    if (tag === '[object RegExp]') return String(value);
    const name = constructorName(value);
    const keys = ownKeys(value);
    if (typeof value === 'function') {
      const text = callableText(value);
      return keys.length === 0 ? text : braces(`${text} `, members(value, keys, state, level), state, level, '{', '}');
    }
    if (value instanceof Number || value instanceof String || value instanceof Boolean) {
      return `[${name}: ${primitive(value.valueOf())}]`;
    }
    if (value instanceof Promise) return 'Promise {}';
    if (value instanceof WeakMap || value instanceof WeakSet) return `${name} { <items unknown> }`;
    const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
    const prefix = namePrefix(value, name, isList);
    if (value instanceof Buffer) return bufferText(value);
    const size = isList ? value.length : value instanceof Map || value instanceof Set ? value.size : 0;
    if (level > state.depth && size + keys.length > 0) {
      return `[${isList ? name || 'Array' : prefix.trim() || 'Object'}]`;
    }
    state.path.push(value);
    let text;
    if (isList) text = listText(value, prefix, keys, state, level);
    else if (value instanceof Map) {
      const entries = Array.from(value, ([key, item]) => `${show(key, state, level + 1)} => ${show(item, state, level + 1)}`);
      text = braces(prefix, entries.concat(members(value, keys, state, level)), state, level, '{', '}');
    } else if (value instanceof Set) {
      const items = Array.from(value, (item) => show(item, state, level + 1));
      text = braces(prefix, items.concat(members(value, keys, state, level)), state, level, '{', '}');
    } else text = braces(prefix, members(value, keys, state, level), state, level, '{', '}');
    state.path.pop();
    return text;
  }

  function namePrefix(value, name, isList) {
    if (Array.isArray(value)) return name === 'Array' ? '' : `${name}(${value.length}) `;
    if (isList) return `${name}(${value.length}) `;
    if (value instanceof Map || value instanceof Set) return `${name}(${value.size}) `;
    if (name === null) return '[Object: null prototype] ';
    const tag = value[Symbol.toStringTag];
    const suffix = typeof tag === 'string' && tag !== '' && tag !== name ? `[${tag}] ` : '';
    return name === 'Object' ? (suffix ? `Object ${suffix}` : '') : `${name} ${suffix}`;
  }

  function ownKeys(value) {
    const symbols = Object.getOwnPropertySymbols(value).filter((it) => Object.prototype.propertyIsEnumerable.call(value, it));
    const isList = Array.isArray(value) || ArrayBuffer.isView(value);
    const names = Object.keys(value);
    return (isList ? names.filter((it) => !/^(0|[1-9][0-9]*)$/.test(it)) : names).concat(symbols);
  }

  function members(value, keys, state, level) {
    return keys.map((key) => {
      const name = typeof key === 'symbol' ? `[${key.toString()}]` : isIdentifier(key) ? key : quote(key);
      const own = Object.getOwnPropertyDescriptor(value, key);
      if (own.get) return `${name}: ${own.set ? '[Getter/Setter]' : '[Getter]'}`;
      if (own.set) return `${name}: [Setter]`;
      return `${name}: ${show(own.value, state, level + 1)}`;
    });
  }

  function listText(value, prefix, keys, state, level) {
    const items = [];
    let holes = 0;
    const endHoles = () => {
      if (holes > 0) items.push(`<${holes} empty item${holes > 1 ? 's' : ''}>`);
      holes = 0;
    };
    const shown = Math.min(value.length, ITEMS);
    for (let index = 0; index < shown; index += 1) {
      if (index in value) {
        endHoles();
        items.push(show(value[index], state, level + 1));
      } else holes += 1;
    }
    endHoles();
    const more = value.length - shown;
    if (more > 0) items.push(`... ${more} more item${more > 1 ? 's' : ''}`);
    return braces(prefix, items.concat(members(value, keys, state, level)), state, level, '[', ']');
  }

  // Parts within braces: on one line where they fit and nothing inside goes deeper than three levels.
  function braces(prefix, parts, state, level, open, close) {
    if (parts.length === 0) return `${prefix}${open}${close}`;
    state.deepest = Math.max(state.deepest, level);
    const rows = open === '[' && parts.length > 6 ? inRows(parts, level) : parts;
    if (state.deepest - level < 3 && rows === parts) {
      const length = parts.reduce((sum, part) => sum + part.length + 2, 2 * level + prefix.length + 11);
      const line = `${prefix}${open} ${parts.join(', ')} ${close}`;
      if (length <= WIDTH && !line.includes('\n')) return line;
    }
    const indent = '  '.repeat(level);
    return `${prefix}${open}\n${indent}  ${rows.join(`,\n${indent}  `)}\n${indent}${close}`;
  }

  // Many short items stand in columns, as many as make something like a square.
  function inRows(parts, level) {
    const count = parts.length > ITEMS ? ITEMS : parts.length;
    const lengths = parts.slice(0, count).map((part) => part.length);
    const total = lengths.reduce((sum, length) => sum + length + 2, 0);
    const longest = Math.max(...lengths);
    const widest = longest + 2;
    if (widest * 3 + 2 * level >= WIDTH || !(total / widest > 5 || longest <= 6)) return parts;
    const biased = Math.max(widest - 3 - Math.sqrt(widest - total / parts.length), 1);
    const square = Math.round(Math.sqrt(2.5 * biased * count) / biased);
    const columns = Math.min(square, Math.floor((WIDTH - 2 * level) / widest), 12);
    if (columns <= 1) return parts;
    const widths = Array.from({ length: columns }, (_, column) => {
      let width = 0;
      for (let at = column; at < count; at += columns) width = Math.max(width, lengths[at]);
      return width + 2;
    });
    const isNumeric = parts.slice(0, count).every((part) => /^-?[0-9.e+]+n?$/.test(part));
    const rows = [];
    for (let start = 0; start < count; start += columns) {
      const end = Math.min(start + columns, count);
      let row = '';
      for (let at = start; at < end; at += 1) {
        const width = widths[at - start];
        const isLast = at === end - 1;
        if (isNumeric) row += isLast ? parts[at].padStart(width - 2) : `${parts[at]}, `.padStart(width);
        else row += isLast ? parts[at] : `${parts[at]}, `.padEnd(width);
      }
      rows.push(row);
    }
    return count < parts.length ? rows.concat(parts.slice(count)) : rows;
  }

  function errorText(error, state, level) {
    const head = errorHead(error);
    const stack = typeof error.stack === 'string' ? error.stack.trimEnd() : '';
    const frames = stack.split('\n').filter((line) => /^\s+at .*script:/.test(line)).slice(0, FRAMES);
    const text = [head, ...frames.map((line) => `    ${inScript(line.trim())}`)].join('\n');
    if (level > state.depth) return `[${head}]`;
    state.path.push(error);
    const keys = Object.keys(error).filter((key) => key !== 'stack' && key !== 'message');
    const parts = members(error, keys, state, level);
    if (Object.prototype.hasOwnProperty.call(error, 'cause')) parts.push(`[cause]: ${show(error.cause, state, level + 1)}`);
    state.path.pop();
    return parts.length === 0 ? text : `${text} {\n  ${parts.join(',\n  ')}\n}`;
  }

  // A place on the first line as the author of the script counts.
  function inScript(text) {
    const place = (_, before, column) => `${before}${Math.max(Number(column) - host.offset, 1)}`;
    return text.replace(/(script:1:)(\d+)/, place).replace(/(at line 1, col )(\d+)/, place);
  }

  function errorHead(error) {
    const name = String(error.name ?? constructorName(error) ?? 'Error');
    const message = inScript(String(error.message ?? ''));
    return message === '' ? name : `${name}: ${message}`;
  }

  function format(first, ...rest) {
    if (typeof first !== 'string') return [first, ...rest].map((it) => (typeof it === 'string' ? it : inspect(it))).join(' ');
    let next = 0;
    const text = rest.length === 0 ? first : first.replace(/%[sdifjoOc%]/g, (mark) => {
      if (mark === '%%') return '%';
      if (next >= rest.length) return mark;
      const value = rest[next];
      next += 1;
      switch (mark) {
        case '%s': return typeof value === 'string' ? value : typeof value === 'object' && value !== null ? inspect(value, { depth: 0 }) : primitive(value);
        case '%d': return typeof value === 'bigint' ? `${value}n` : typeof value === 'symbol' ? 'NaN' : primitive(Number(value));
        case '%i': return typeof value === 'bigint' ? `${value}n` : primitive(parseInt(value, 10));
        case '%f': return primitive(parseFloat(value));
        case '%j': return JSON.stringify(value);
        case '%c': return '';
        default: return inspect(value, { depth: 4 });
      }
    });
    return [text, ...rest.slice(next).map((it) => (typeof it === 'string' ? it : inspect(it)))].join(' ');
  }

  // ---- console ----

  let group = '';
  const counts = new Map();
  const starts = new Map();
  const print = (descriptor, values) => {
    const text = values.length === 0 ? '' : format(...values);
    host.write(descriptor, `${group}${group ? text.replaceAll('\n', `\n${group}`) : text}\n`);
  };
  const elapsed = (label) => {
    const milliseconds = host.now() - starts.get(label);
    return `${label}: ${milliseconds >= 1000 ? `${(milliseconds / 1000).toFixed(3)}s` : `${milliseconds.toFixed(3)}ms`}`;
  };
  const console = {
    log: (...values) => print(1, values),
    info: (...values) => print(1, values),
    debug: (...values) => print(1, values),
    error: (...values) => print(2, values),
    warn: (...values) => print(2, values),
    dir: (value, options) => print(1, [inspect(value, options)]),
    trace: (...values) => print(2, [`Trace${values.length ? `: ${format(...values)}` : ''}`]),
    assert: (condition, ...values) => {
      if (!condition) print(2, values.length ? [`Assertion failed: ${format(...values)}`] : ['Assertion failed']);
    },
    group: (...values) => {
      if (values.length) print(1, values);
      group += '  ';
    },
    groupEnd: () => { group = group.slice(2); },
    count: (label = 'default') => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      print(1, [`${label}: ${counts.get(label)}`]);
    },
    countReset: (label = 'default') => { counts.delete(label); },
    time: (label = 'default') => { starts.set(label, host.now()); },
    timeLog: (label = 'default', ...values) => { if (starts.has(label)) print(1, [elapsed(label), ...values]); },
    timeEnd: (label = 'default') => {
      if (starts.has(label)) print(1, [elapsed(label)]);
      starts.delete(label);
    },
    table: (value) => print(1, [inspect(value)]),
  };
  console.groupCollapsed = console.group;

  // ---- timers ----

  let nextTimer = 1;
  const timers = new Map();
  const addTimer = (action, delay, values, repeats) => {
    if (typeof action !== 'function') throw new TypeError('The "callback" argument must be of type function. Received ' + inspect(action));
    const wait = Math.max(Number(delay) || 0, repeats ? 1 : 0);
    // What is to happen at once is due at once, without a look at the clock, which would make the call an impure one. Where
    // other timers wait, it takes its place among them: else a chain of such would keep them from their turn for ever.
    const isAlone = wait === 0 && ![...timers.values()].some((other) => other.wait > 0);
    const timer = { id: nextTimer, action: () => action(...values), wait, due: isAlone ? 0 : host.now() + wait, repeats };
    timers.set(nextTimer, timer);
    nextTimer += 1;
    return {
      ref() { return this; }, unref() { return this; }, hasRef: () => true, [Symbol.toPrimitive]: () => timer.id,
    };
  };
  const dropTimer = (timer) => { if (timer !== undefined && timer !== null) timers.delete(Number(timer)); };
  const setTimeout = (action, delay, ...values) => addTimer(action, delay, values, false);
  const setInterval = (action, delay, ...values) => addTimer(action, delay, values, true);
  const setImmediate = (action, ...values) => addTimer(action, 0, values, false);

  // Runs the timer that is due first, waiting for it if need be: whether there was one.
  function tick() {
    let first = null;
    for (const timer of timers.values()) if (first === null || timer.due < first.due) first = timer;
    if (first === null) return false;
    if (first.wait > 0) {
      const left = first.due - host.now();
      if (left > 0) host.sleep(left);
    }
    if (first.repeats) first.due += first.wait;
    else timers.delete(first.id);
    first.action();
    return true;
  }

  // ---- bytes and text ----

  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

  function utf8(text) {
    const bytes = [];
    for (const char of String(text).toWellFormed()) {
      const code = char.codePointAt(0);
      if (code < 0x80) bytes.push(code);
      else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
      else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
      else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    }
    return bytes;
  }

  function fromUtf8(bytes) {
    let text = '';
    for (let at = 0; at < bytes.length;) {
      const first = bytes[at];
      const size = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
      let code = size === 1 ? first : first & (0xff >> (size + 1));
      let taken = 1;
      while (taken < size && (bytes[at + taken] & 0xc0) === 0x80) {
        code = (code << 6) | (bytes[at + taken] & 63);
        taken += 1;
      }
      const least = [0, 0, 0x80, 0x800, 0x10000][size];
      const isWhole = size > 0 && taken === size && code >= least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
      text += isWhole ? String.fromCodePoint(code) : '\ufffd';
      at += taken;
    }
    return text;
  }

  function toBase64(bytes) {
    let text = '';
    for (let at = 0; at < bytes.length; at += 3) {
      const [a, b, c] = [bytes[at], bytes[at + 1], bytes[at + 2]];
      text += ALPHABET[a >> 2] + ALPHABET[((a & 3) << 4) | ((b ?? 0) >> 4)];
      text += b === undefined ? '==' : ALPHABET[((b & 15) << 2) | ((c ?? 0) >> 6)] + (c === undefined ? '=' : ALPHABET[c & 63]);
    }
    return text;
  }

  function fromBase64(text) {
    const bytes = [];
    let bits = 0;
    let count = 0;
    for (const char of text.replaceAll('-', '+').replaceAll('_', '/')) {
      const value = ALPHABET.indexOf(char);
      if (value < 0) continue;
      bits = ((bits << 6) | value) & 0xffffff;
      count += 6;
      if (count >= 8) {
        count -= 8;
        bytes.push((bits >> count) & 255);
      }
    }
    return bytes;
  }

  class Buffer extends Uint8Array {
    static from(value, encoding = 'utf8') {
      if (typeof value !== 'string') return super.from(value instanceof ArrayBuffer ? new Uint8Array(value) : value);
      switch (encoding.toLowerCase()) {
        case 'hex': return super.from((value.match(/[0-9a-fA-F]{2}/g) ?? []).map((it) => parseInt(it, 16)));
        case 'base64': case 'base64url': return super.from(fromBase64(value));
        case 'latin1': case 'binary': case 'ascii': return super.from(Array.from(value, (it) => it.charCodeAt(0) & 255));
        default: return super.from(utf8(value));
      }
    }

    static alloc(size, fill = 0) { return new Buffer(size).fill(fill); }

    static isBuffer(value) { return value instanceof Buffer; }

    static byteLength(value) { return typeof value === 'string' ? utf8(value).length : value.byteLength; }

    static concat(list) { return Buffer.from(list.flatMap((it) => Array.from(it))); }

    toString(encoding = 'utf8') {
      switch (encoding.toLowerCase()) {
        case 'hex': return Array.from(this, (it) => it.toString(16).padStart(2, '0')).join('');
        case 'base64': return toBase64(this);
        case 'base64url': return toBase64(this).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
        case 'latin1': case 'binary': case 'ascii': return Array.from(this, (it) => String.fromCharCode(it)).join('');
        default: return fromUtf8(this);
      }
    }

    toJSON() { return { type: 'Buffer', data: Array.from(this) }; }

    equals(other) { return this.length === other.length && this.every((it, index) => it === other[index]); }
  }

  function bufferText(value) {
    const shown = Array.from(value.subarray(0, 50), (it) => it.toString(16).padStart(2, '0')).join(' ');
    return `<Buffer${shown ? ` ${shown}` : ''}${value.length > 50 ? ` ... ${value.length - 50} more bytes` : ''}>`;
  }

  class TextEncoder {
    get encoding() { return 'utf-8'; }

    encode(text = '') { return Uint8Array.from(utf8(text)); }
  }

  class TextDecoder {
    get encoding() { return 'utf-8'; }

    decode(bytes = []) { return fromUtf8(ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes)); }
  }

  const atob = (text) => fromBase64(String(text)).map((it) => String.fromCharCode(it)).join('');
  const btoa = (text) => toBase64(Array.from(String(text), (it) => {
    if (it.charCodeAt(0) > 255) throw new RangeError('Invalid character');
    return it.charCodeAt(0);
  }));

  // ---- process ----

  const decode = (encoding) => {
    const bytes = Buffer.from(host.stdin);
    return encoding && encoding !== 'buffer' ? bytes.toString(encoding) : bytes;
  };

  const input = {
    fd: 0,
    isTTY: false,
    encoding: null,
    isRead: false,
    listeners: new Map(),
    setEncoding(encoding) { this.encoding = encoding ?? 'utf8'; return this; },
    read() {
      if (this.isRead || host.stdin === '') return null;
      this.isRead = true;
      return decode(this.encoding);
    },
    on(event, listener) {
      const isFirst = this.listeners.size === 0;
      this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
      if (isFirst) setImmediate(() => this.flow());
      return this;
    },
    flow() {
      const emit = (event, ...values) => (this.listeners.get(event) ?? []).forEach((it) => it.apply(this, values));
      emit('readable');
      const chunk = this.read();
      if (chunk !== null) emit('data', chunk);
      emit('end');
      emit('close');
    },
    resume() { return this; },
    pause() { return this; },
    async *[Symbol.asyncIterator]() {
      const chunk = this.read();
      if (chunk !== null) yield chunk;
    },
  };
  input.once = input.on;
  input.addListener = input.on;

  const output = (descriptor) => ({
    fd: descriptor,
    isTTY: false,
    write(chunk, encoding, done) {
      host.write(descriptor, typeof chunk === 'string' ? chunk : fromUtf8(chunk));
      const after = typeof encoding === 'function' ? encoding : done;
      if (after) setImmediate(after);
      return true;
    },
    end(chunk) { if (chunk !== undefined) this.write(chunk); },
    on() { return this; },
    once() { return this; },
  });

  const exitListeners = [];
  let isExiting = false;
  const leave = (code) => {
    if (code !== undefined) process.exitCode = code;
    if (!isExiting) {
      isExiting = true;
      exitListeners.forEach((it) => it(Number(process.exitCode ?? 0)));
    }
    host.exit(Number(process.exitCode ?? 0));
  };
  const process = {
    argv: ['node', 'script', ...host.arguments],
    argv0: 'node',
    env: Object.assign({}, host.environment),
    exitCode: undefined,
    pid: 1,
    platform: 'wasi',
    arch: 'wasm32',
    version: 'v22.0.0',
    versions: { node: '22.0.0' },
    stdin: input,
    stdout: output(1),
    stderr: output(2),
    exit: leave,
    cwd: () => '/',
    nextTick: (action, ...values) => { Promise.resolve().then(() => action(...values)); },
    hrtime: Object.assign(
      () => [Math.floor(host.now() / 1000), Math.floor((host.now() % 1000) * 1e6)],
      { bigint: () => BigInt(Math.floor(host.now() * 1e6)) },
    ),
    uptime: () => host.now() / 1000,
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
    on(event, listener) { if (event === 'exit') exitListeners.push(listener); return this; },
    emitWarning: (text) => host.write(2, `(node) Warning: ${text}\n`),
  };
  process.once = process.on;

  // ---- modules ----

  const noFile = (path) => {
    const error = new Error(`ENOENT: no such file or directory, open '${path}' (a script has no files: give it its input on stdin or as arguments)`);
    return Object.assign(error, { errno: -2, code: 'ENOENT', syscall: 'open', path });
  };
  const encodingOf = (options) => (typeof options === 'string' ? options : options?.encoding);
  const fs = {
    readFileSync(path, options) {
      if (path !== 0 && path !== '/dev/stdin') throw noFile(path);
      return decode(encodingOf(options));
    },
    writeFileSync(path, text) {
      const descriptor = { 1: 1, 2: 2, '/dev/stdout': 1, '/dev/stderr': 2 }[path];
      if (descriptor === undefined) throw noFile(path);
      host.write(descriptor, typeof text === 'string' ? text : fromUtf8(text));
    },
    writeSync(descriptor, text) { fs.writeFileSync(descriptor, text); return Buffer.byteLength(text); },
    existsSync: () => false,
  };
  fs.promises = { readFile: async (path, options) => fs.readFileSync(path, options) };
  fs.readFile = (path, options, done) => setImmediate(() => {
    const after = typeof options === 'function' ? options : done;
    let text;
    try { text = fs.readFileSync(path, options); } catch (error) { return after(error); }
    return after(null, text);
  });

  const timersPromises = { setTimeout: (delay, value) => new Promise((done) => { setTimeout(done, delay, value); }) };
  const util = {
    inspect, format,
    promisify: (action) => (...values) => new Promise((done, failed) => {
      action(...values, (error, value) => (error ? failed(error) : done(value)));
    }),
    isDeepStrictEqual: (one, other) => inspect(one, { depth: null }) === inspect(other, { depth: null }),
  };
  const modules = {
    fs, 'fs/promises': fs.promises, process, util, console, buffer: { Buffer },
    timers: { setTimeout, setInterval, setImmediate, clearTimeout: dropTimer, clearInterval: dropTimer, clearImmediate: dropTimer },
    'timers/promises': timersPromises,
  };
  const require = (name) => {
    const known = modules[String(name).replace(/^node:/, '')];
    if (known) return known;
    const error = new Error(`Cannot find module '${name}': a script has no packages; there are ${Object.keys(modules).join(', ')}`);
    throw Object.assign(error, { code: 'MODULE_NOT_FOUND' });
  };

  const globals = {
    console, process, Buffer, TextEncoder, TextDecoder, atob, btoa, setTimeout, setInterval, setImmediate,
    clearTimeout: dropTimer, clearInterval: dropTimer, clearImmediate: dropTimer, global: globalThis,
    queueMicrotask: (action) => { Promise.resolve().then(action); },
    performance: { now: () => host.now() },
    structuredClone: (value) => clone(value, new Map()),
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }

  function clone(value, seen) {
    if (value === null || typeof value !== 'object') {
      if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`${inspect(value)} could not be cloned.`);
      return value;
    }
    if (seen.has(value)) return seen.get(value);
    if (value instanceof Date) return new Date(value.getTime());
    if (value instanceof RegExp) return new RegExp(value.source, value.flags);
    if (ArrayBuffer.isView(value)) return value.slice();
    const copy = Array.isArray(value) ? [] : value instanceof Map ? new Map() : value instanceof Set ? new Set() : {};
    seen.set(value, copy);
    if (value instanceof Map) value.forEach((item, key) => copy.set(clone(key, seen), clone(item, seen)));
    else if (value instanceof Set) value.forEach((item) => copy.add(clone(item, seen)));
    else Object.keys(value).forEach((key) => { copy[key] = clone(value[key], seen); });
    return copy;
  }

  return {
    modules,
    require,
    tick,
    // What Node.js says of an error that nobody has caught.
    describe: (error) => (error instanceof Error ? inspect(error) : `Uncaught ${inspect(error)}`),
    // At the end: the listeners have their say, and the exit code is decided.
    finish: () => {
      if (!isExiting) {
        isExiting = true;
        exitListeners.forEach((it) => it(Number(process.exitCode ?? 0)));
      }
      return Number(process.exitCode ?? 0);
    },
  };
})
