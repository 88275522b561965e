#!/usr/bin/env python3
"""Makes fixtures/pytorch/*.pth: what torch.save writes, made without PyTorch.

    python3 scripts/make-pytorch-fixtures.py [output folder]

Needs Python 3.8 and its standard library alone; the same bytes come out each time. The pickles are
written by Python's own pickle module, which is what torch.save calls: modules named `torch`, `torch._utils` and
`torch.storage` are made here, so that pickle finds the names that a checkpoint uses. The layout of the ZIP file
follows PyTorch's writer (caffe2/serialize/inline_container.cc and miniz): stored entries, flag bits 3 and 11,
sizes and checksum zero in the local header and in a data descriptor behind the data, an extra field "FB" that
pads the data to 64 bytes, and always a zip64 end record.

Source of the layout: pytorch torch/serialization.py (_save), torch/_utils.py (_rebuild_tensor_v2),
torch/_tensor.py (_reduce_ex_internal), torch/nn/modules/module.py (state_dict, _metadata).
"""
import collections
import io
import pickle
import struct
import sys
import types
import zipfile
import zlib
from pathlib import Path

# The stand-in modules: nothing in them is ever called, only their names are pickled.
torch = types.ModuleType('torch')
torch._utils = types.ModuleType('torch._utils')
torch.storage = types.ModuleType('torch.storage')
sys.modules.update({'torch': torch, 'torch._utils': torch._utils, 'torch.storage': torch.storage})


def stand_in(module, name):
    made = type(name, (), {'__module__': module.__name__})
    setattr(module, name, made)
    return made


STORAGES = {
    'f': stand_in(torch, 'FloatStorage'),
    'd': stand_in(torch, 'DoubleStorage'),
    'e': stand_in(torch, 'HalfStorage'),
    'bf16': stand_in(torch, 'BFloat16Storage'),
    'q': stand_in(torch, 'LongStorage'),
    'i': stand_in(torch, 'IntStorage'),
    'h': stand_in(torch, 'ShortStorage'),
    'b': stand_in(torch, 'CharStorage'),
    'B': stand_in(torch, 'ByteStorage'),
    '?': stand_in(torch, 'BoolStorage'),
}
UNTYPED = stand_in(torch.storage, 'UntypedStorage')


class Callee:
    """What REDUCE calls: pickled by its name."""

    def __init__(self, module, name):
        self.__module__, self.__qualname__, self.name = module.__name__, name, name
        setattr(module, name, self)

    def __call__(self, *args):
        raise RuntimeError('a stand-in')

    def __reduce_ex__(self, protocol):
        return self.name


REBUILD_V2 = Callee(torch._utils, '_rebuild_tensor_v2')
REBUILD_V3 = Callee(torch._utils, '_rebuild_tensor_v3')
REBUILD_PARAMETER = Callee(torch._utils, '_rebuild_parameter')
REBUILD_PARAMETER_WITH_STATE = Callee(torch._utils, '_rebuild_parameter_with_state')
SIZE = Callee(torch, 'Size')
DEVICE = Callee(torch, 'device')
FLOAT32 = Callee(torch, 'float32')
UINT16 = Callee(torch, 'uint16')


class Storage:
    def __init__(self, code, values, untyped=False):
        self.code, self.values, self.untyped = code, list(values), untyped

    def bytes(self, order):
        if self.code == 'bf16':  # The upper half of a float32; the values used here are exact.
            bits = [struct.unpack('<I', struct.pack('<f', v))[0] >> 16 for v in self.values]
            return struct.pack(f'{order}{len(bits)}H', *bits)
        return struct.pack(f'{order}{len(self.values)}{self.code}', *self.values)


class Tensor:
    def __init__(self, storage, shape, strides=None, offset=0, metadata=None):
        self.storage, self.shape, self.offset, self.metadata = storage, tuple(shape), offset, metadata
        self.strides = tuple(strides) if strides is not None else contiguous(shape)

    def __reduce_ex__(self, protocol):
        args = (self.storage, self.offset, self.shape, self.strides, False, collections.OrderedDict())
        if self.storage.untyped:
            return REBUILD_V3, (*args, UINT16)
        return REBUILD_V2, args if self.metadata is None else (*args, self.metadata)


class Parameter:
    def __init__(self, tensor, state=None):
        self.tensor, self.state = tensor, state

    def __reduce_ex__(self, protocol):
        args = (self.tensor, True, collections.OrderedDict())
        if self.state is None:
            return REBUILD_PARAMETER, args
        return REBUILD_PARAMETER_WITH_STATE, (*args, self.state)


class Call:
    def __init__(self, callee, *args):
        self.callee, self.args = callee, args

    def __reduce_ex__(self, protocol):
        return self.callee, self.args


def contiguous(shape):
    strides, step = [], 1
    for length in reversed(shape):
        strides.insert(0, step)
        step *= max(length, 1)
    return tuple(strides)


def tensor(code, shape, values):
    return Tensor(Storage(code, values), shape)


class StateDict(collections.OrderedDict):
    """An OrderedDict with the attribute that Module.state_dict hangs on it; pickled as an OrderedDict."""

    def __reduce_ex__(self, protocol):
        versions = collections.OrderedDict([('', {'version': 1}), ('norm', {'version': 2})])
        return collections.OrderedDict, (), {'_metadata': versions}, None, iter(self.items())


def pickled(value, protocol):
    """The pickle and the storages in the order of their keys, as torch.serialization._save does it."""
    storages = []

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if not isinstance(item, Storage):
                return None
            if item not in storages:
                storages.append(item)
            kind = UNTYPED if item.untyped else STORAGES[item.code]
            count = len(item.bytes('<')) if item.untyped else len(item.values)
            return ('storage', kind, str(storages.index(item)), 'cpu', count)

    out = io.BytesIO()
    Pickler(out, protocol=protocol).dump(value)
    return out.getvalue(), storages


def records(value, protocol=2, order='little'):
    """Names and contents in the order of torch.save (2.6)."""
    data, storages = pickled(value, protocol)
    yield 'data.pkl', data
    yield '.format_version', b'1'
    yield '.storage_alignment', b'64'
    yield 'byteorder', order.encode()
    for key, storage in enumerate(storages):
        yield f'data/{key}', storage.bytes('<' if order == 'little' else '>')
    yield 'version', b'3\n'
    yield '.data/serialization_id', b'0636067916190530571210034129520021506380'


def torch_zip(named, folder='archive'):
    """A ZIP file as PyTorchStreamWriter writes it."""
    out, directory, count = bytearray(), bytearray(), 0
    for name, content in named:
        count += 1
        path = f'{folder}/{name}'.encode()
        start = len(out)
        padding = -(start + 30 + len(path) + 4) % 64
        extra = b'FB' + struct.pack('<H', padding) + b'Z' * padding
        crc, size = zlib.crc32(content), len(content)
        flags = 0x0808 if size else 0x0800  # miniz: no descriptor behind nothing
        out += struct.pack('<I5H3I2H', 0x04034B50, 0, flags, 0, 0, 0, 0, 0, 0, len(path), len(extra))
        out += path + extra + content
        if size:
            out += struct.pack('<4I', 0x08074B50, crc, size, size)
        directory += struct.pack(
            '<I6H3I5H2I', 0x02014B50, 0, 0, flags, 0, 0, 0, crc, size, size, len(path), 0, 0, 0, 0, 0, start
        )
        directory += path
    at = len(out)
    end64 = at + len(directory)
    out += directory
    out += struct.pack('<IQ2H2I4Q', 0x06064B50, 44, 0x031E, 0x2D, 0, 0, count, count, len(directory), at)
    out += struct.pack('<2IQI', 0x07064B50, 0, end64, 1)
    out += struct.pack('<I4H2IH', 0x06054B50, 0, 0, count, count, len(directory), at, 0)
    return bytes(out)


def repacked(named, **options):
    """The same through Python's zipfile, as somebody might pack it again: folders have entries, no padding."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo('checkpoint/'), b'')
        for name, content in named:
            info = zipfile.ZipInfo(f'checkpoint/{name}')
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, 'w', **options) as entry:
                entry.write(content)
    return out.getvalue()


def state_dict():
    """Every element type, and every kind of view."""
    shared = Storage('f', [i / 4 for i in range(24)])
    weight = Tensor(shared, (2, 3), offset=0)
    return StateDict(
        [
            ('layer.weight', weight),
            ('layer.tied', Tensor(shared, (2, 3), offset=0)),
            ('view.offset', Tensor(shared, (2, 2), offset=5)),
            ('view.transposed', Tensor(shared, (3, 2), (1, 3), 0)),
            ('view.every_second', Tensor(shared, (2, 2, 3), (12, 6, 2), 1)),
            ('view.expanded', Tensor(shared, (2, 3), (0, 1), 3)),
            ('view.long_axis_of_one', Tensor(shared, (1, 4), (999, 1), 2)),
            ('scalar', tensor('f', (), [2.5])),
            ('empty', tensor('f', (0, 3), [])),
            ('double', tensor('d', (2,), [0.1, -1e300])),
            ('half', tensor('e', (3,), [1.5, -65504.0, 2.0**-24])),
            ('bfloat16', tensor('bf16', (2,), [1.0, -3.140625])),
            ('long', tensor('q', (2,), [-(2**63), 2**53 + 1])),
            ('int', tensor('i', (2,), [-5, 2**31 - 1])),
            ('short', tensor('h', (2,), [-32768, 7])),
            ('char', tensor('b', (2,), [-128, 127])),
            ('byte', tensor('B', (2,), [0, 255])),
            ('bool', tensor('?', (3,), [True, False, True])),
            ('uint16', Tensor(Storage('H', [1, 65535], untyped=True), (2,))),
            ('parameter', Parameter(tensor('f', (1,), [0.125]))),
            ('parameter_with_state', Parameter(tensor('f', (1,), [0.25]), {'tag': 'x'})),
        ]
    )


def training_checkpoint():
    """What a training loop saves: the model below a key, the optimiser, and plain entries of every kind."""
    names = ('encoder.weight', 'encoder.bias')
    model = StateDict((name, tensor('f', (2,), [i, -i])) for i, name in enumerate(names, 1))
    moments = {
        i: {'step': tensor('f', (), [3.0]), 'exp_avg': tensor('f', (2,), [0.0, 0.0])} for i in range(len(names))
    }
    return {
        'format': 's4d',
        'config': {'d_model': 2, 'dropout': 0.5, 'layers': [1, (2, 3)], 'name': 'é', 'bias': True, 'none': None},
        'epoch': 12,
        'seed': 2**63 + 5,
        'best': float('inf'),
        'dtype': FLOAT32,
        'device': Call(DEVICE, 'cuda', 0),
        'size': Call(SIZE, (2, 3)),
        'model_state_dict': model,
        'optimizer_state_dict': {'state': moments, 'param_groups': [{'lr': 1e-3, 'params': [0, 1]}]},
        'rng_state': tensor('B', (4,), [1, 2, 3, 4]),
    }


def nested():
    """Dictionaries and lists of tensors, two models side by side."""
    one = {'net': {0: tensor('f', (1,), [1]), 'deep.er': {'w': [tensor('f', (1,), [2]), tensor('f', (1,), [3])]}}}
    return {'generator': one, 'discriminator': {'w': tensor('f', (1,), [4])}, 'note': 'two'}


def main(folder):
    state = lambda **options: records(state_dict(), **options)
    files = {
        'state-dict.pth': torch_zip(state()),
        'state-dict-protocol4.pth': torch_zip(state(protocol=4), folder='model'),
        'state-dict-protocol5.pth': torch_zip(state(protocol=5)),
        'state-dict-big-endian.pth': torch_zip(state(order='big')),
        'state-dict-deflated.pth': repacked(state()),
        'state-dict-zip64.pth': repacked(state(), force_zip64=True),
        'training.pth': torch_zip(records(training_checkpoint())),
        'nested.pth': torch_zip(records(nested())),
        'script.pth': torch_zip(
            [('data.pkl', pickled({}, 2)[0]), ('code/__torch__.py', b'# a program'), ('constants.pkl', b'\x80\x02).')]
        ),
        'legacy.pth': b''.join(
            pickle.dumps(part, protocol=2)
            for part in (0x1950A86A20F9469CFC6C, 1001, {'little_endian': True}, {'w': 1}, [])
        ),
    }
    for name, content in files.items():
        if content.startswith(b'PK'):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                assert archive.testzip() is None
        (folder / name).write_bytes(content)
        print(f'{name}: {len(content)} bytes')


if __name__ == '__main__':
    here = Path(__file__).resolve().parent.parent / 'fixtures' / 'pytorch'
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    target.mkdir(parents=True, exist_ok=True)
    main(target)
