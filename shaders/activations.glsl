// As the CPU's reference: x/2 (1 + tanh u) = x / (1 + exp (-2 u)) does not cancel for x < 0.
float gelu (float x)
{
  return x / (1.0 + exp (-2.0 * 0.7978845608 * (x + 0.044715 * x * x * x)));
}

// tanh overflows on some devices where its argument is large.
float soft_cap (float x, float cap)
{
  return cap * tanh (clamp (x / cap, -15.0, 15.0));
}
