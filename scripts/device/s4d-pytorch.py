"""One training step of the S4D layer in PyTorch, for comparison: forward, mean squared error, backward, AdamW.

The layer as state-spaces/s4 describes it: H systems of N/2 complex modes, their kernel by a Vandermonde product that is
materialised, a convolution by FFT, GELU, a linear layer to 2H and a GLU. Written here from the paper (arXiv 2206.11893).
    python3 s4d-pytorch.py [items frames width]
"""
import sys, time, torch

B, L, H = (int(a) for a in sys.argv[1:4]) if len(sys.argv) > 3 else (8, 16384, 64)
N2 = 32
dev = 'cuda' if torch.cuda.is_available() else 'cpu'


class S4D(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.log_dt = torch.nn.Parameter(torch.rand(H) * 4.6 - 6.9)
        self.c = torch.nn.Parameter(torch.randn(H, N2, 2) * 0.7)
        self.log_a = torch.nn.Parameter(torch.full((H, N2), 0.5).log())
        self.a_im = torch.nn.Parameter(torch.pi * torch.arange(N2).float().repeat(H, 1))
        self.d = torch.nn.Parameter(torch.randn(H))
        self.out = torch.nn.Conv1d(H, 2 * H, 1)

    def forward(self, u):  # B, H, L
        dt = self.log_dt.exp()[:, None]
        a = torch.complex(-self.log_a.exp(), self.a_im)
        z = a * dt
        c = torch.view_as_complex(self.c) * (z.exp() - 1) / a
        k = 2 * (c[..., None] * torch.exp(z[..., None] * torch.arange(L, device=u.device))).sum(1).real
        y = torch.fft.irfft(torch.fft.rfft(u, 2 * L) * torch.fft.rfft(k, 2 * L), 2 * L)[..., :L]
        y = torch.nn.functional.gelu(y + u * self.d[:, None])
        return torch.nn.functional.glu(self.out(y), dim=1)


class Around(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.layer, self.down = torch.nn.Conv1d(1, H, 1), S4D(), torch.nn.Conv1d(H, 1, 1)

    def forward(self, x):
        return self.down(self.layer(self.up(x)))


def measure(name, model, x, t):
    model = model.to(dev)
    opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
    times = []
    for step in range(23):
        if dev == 'cuda':
            torch.cuda.synchronize()
        t0 = time.perf_counter()
        loss = (model(x.to(dev)) - t.to(dev)).square().mean()
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        loss.item()
        if step >= 3:
            times.append(1e3 * (time.perf_counter() - t0))
    times.sort()
    print(f'pytorch {torch.__version__} {dev} {name}: {B} x {L}, a step {times[len(times) // 2]:.2f} ms '
          f'({times[0]:.2f} to {times[-1]:.2f})', flush=True)


host = torch.randn(B, 1, L), torch.randn(B, 1, L)
measure('layer with a recording going up', Around(), *host)
resident = torch.randn(B, H, L, device=dev), torch.randn(B, H, L, device=dev)
measure('layer alone, batch on the device', S4D(), *resident)
