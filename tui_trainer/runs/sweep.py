"""What the learning-rate finder sweeps where nobody says otherwise: known to command line, form and engine alike."""

LOW = 1e-6  # fast.ai takes 100 steps from 1e-7; with so few to a decade the smoothed loss lags far behind
HIGH = 10.0
STEPS = 300
