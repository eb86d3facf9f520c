#include "models/conformer.h"

#include "media/mel.h"

#include <math.h>
#include <string.h>

#define SOFTCAP 50.0f

/* ---- reading ---- */

static void
made_free (gpointer data)
{
  FacetTensor *t = data;

  g_aligned_free ((gpointer) t->data);
  g_free (t);
}

/* A new F32 tensor; its data are for the caller to fill. */
static FacetTensor *
make (FacetConformer *m, const char *name, gint64 ne0, gint64 ne1)
{
  FacetTensor *t = g_new (FacetTensor, 1);
  gsize n = (gsize) (ne0 * ne1);

  *t = (FacetTensor) { .name = name, .dtype = FACET_F32, .ne = { ne0, ne1, 1, 1 },
                       .data = g_aligned_alloc0 (n, sizeof (float), 64), .bytes = n * sizeof (float) };
  g_ptr_array_add (m->made, t);
  return t;
}

static void
load_convolution (FacetConformer *m, FacetLoader *loader, int which)
{
  g_autofree char *name = g_strdup_printf ("a.conv1d.%d.weight", which);
  const FacetTensor *t = facet_gguf_tensor (loader->gguf, name);
  int inputs = which == 0 ? 1 : m->channels[0];
  g_autofree float *data = NULL;
  FacetTensor *made;

  m->channels[which] = 1;
  if (t == NULL || t->ne[0] != 3 || t->ne[1] != 3 || t->ne[2] != inputs || t->ne[3] < 1 || t->ne[3] > 1 << 14) {
    facet_loader_fault (loader, "tensor %s is missing or not [3, 3, %d, channels]", name, inputs);
    return;
  }
  m->channels[which] = (int) t->ne[3];
  data = facet_loader_floats (loader, 9 * (gint64) inputs * t->ne[3], name);
  made = make (m, "a.conv1d", 9 * (gint64) inputs, t->ne[3]);
  if (data != NULL)
    memcpy ((gpointer) made->data, data, made->bytes);
  m->conv[which] = made;
  m->conv_norm[which] = facet_loader_vector (loader, t->ne[3], "a.conv1d.%d.norm.weight", which);
}

/* [width]: 1/sqrt(head)/ln 2 * softplus (the file's value per column of a head) */
static void
load_q_scale (FacetConformer *m, FacetLoader *loader, FacetConformerBlock *b, int i)
{
  g_autofree char *name = g_strdup_printf ("a.blk.%d.%s", i, m->kind->scale);
  int head = m->width / m->n_head;
  g_autofree float *data = facet_loader_floats (loader, head, name);
  FacetTensor *made = make (m, "per_dim_scale", m->width, 1);
  float *out = (float *) made->data;

  b->q_scale = made;
  for (int c = 0; data != NULL && c < m->width; c++) {
    double s = data[c % head];

    out[c] = (float) ((m->kind->softplus ? log1p (exp (s)) : s) / sqrt (head) / G_LN2);
  }
}

static void
load_light_conv (FacetConformer *m, FacetLoader *loader, FacetConformerBlock *b, int i)
{
  g_autofree char *name = g_strdup_printf ("a.blk.%d.conv_dw.weight", i);
  const FacetTensor *t = facet_gguf_tensor (loader->gguf, name);
  int taps = t != NULL && t->ne[0] >= 1 && t->ne[0] <= 64 ? (int) t->ne[0] : 5;
  g_autofree float *data = facet_loader_floats (loader, (gint64) taps * m->width, name);
  FacetTensor *made = make (m, "conv_dw", m->width, taps);

  b->conv = made;
  for (int c = 0; data != NULL && c < m->width; c++)
    for (int tap = 0; tap < taps; tap++)
      ((float *) made->data)[tap * m->width + c] = data[c * taps + tap];
}

static const FacetTensor *
vector (FacetConformer *m, FacetLoader *loader, int i, const char *name)
{
  return facet_loader_vector (loader, m->width, "a.blk.%d.%s.weight", i, name);
}

static void
linear (FacetLoader *loader, FacetClipped *l, int i, const char *name, gint64 in, gint64 out)
{
  g_autofree char *full = g_strdup_printf ("a.blk.%d.%s", i, name);

  facet_clipped_load (l, loader, in, out, full);
}

static void
load_block (FacetConformer *m, FacetLoader *loader, int i)
{
  FacetConformerBlock *b = &m->blocks[i];
  g_autofree char *up = g_strdup_printf ("a.blk.%d.ffn_up.weight", i);
  const FacetTensor *t = facet_gguf_tensor (loader->gguf, up);
  /* The key feed_forward_length is a dummy in Gemma 3n's files. */
  gint64 d = m->width, f = t != NULL ? t->ne[1] : d;

  for (int half = 0; half < 2; half++) {
    linear (loader, &b->up[half], i, half ? "ffn_up_1" : "ffn_up", d, f);
    linear (loader, &b->down[half], i, half ? "ffn_down_1" : "ffn_down", f, d);
    b->ff_norm[half] = vector (m, loader, i, half ? "ffn_norm_1" : "ffn_norm");
    b->ff_post[half] = vector (m, loader, i, half ? "ffn_post_norm_1" : "ffn_post_norm");
  }
  linear (loader, &b->q, i, "attn_q", d, d);
  linear (loader, &b->k, i, "attn_k", d, d);
  linear (loader, &b->v, i, "attn_v", d, d);
  linear (loader, &b->out, i, "attn_out", d, d);
  linear (loader, &b->pw1, i, "conv_pw1", d, 2 * d);
  linear (loader, &b->pw2, i, "conv_pw2", d, d);
  b->before_attention = vector (m, loader, i, m->kind->before_attention);
  b->after_attention = vector (m, loader, i, m->kind->after_attention);
  b->last_norm = vector (m, loader, i, m->kind->last_norm);
  /* The files' names are crosswise: conv_norm stands before the convolution. */
  b->before_conv = vector (m, loader, i, "conv_norm");
  b->after_conv = vector (m, loader, i, "norm_conv");
  b->positions = facet_loader_matrix (loader, d, d, "a.blk.%d.%s.weight", i, m->kind->positions);
  load_q_scale (m, loader, b, i);
  load_light_conv (m, loader, b, i);
}

static void
make_sinusoids (FacetConformer *m)
{
  int rows = m->kind->reach + 1, half = m->width / 2;
  FacetTensor *made = make (m, "sinusoids", m->width, rows);
  float *out = (float *) made->data;

  for (int r = 0; r < rows; r++)
    for (int i = 0; i < half; i++) {
      double angle = r * exp (-i * log (1e4) / MAX (half - 1, 1));

      out[r * m->width + i] = (float) sin (angle);
      out[r * m->width + half + i] = (float) cos (angle);
    }
  m->sinusoids = made;
}

void
facet_conformer_load (FacetConformer *m, FacetLoader *loader, const FacetConformerKind *kind)
{
  m->kind = kind;
  m->made = g_ptr_array_new_with_free_func (made_free);
  m->width = facet_loader_int (loader, "embedding_length", 2, 1 << 15);
  m->n_layers = facet_loader_int (loader, "block_count", 1, 512);
  m->n_head = facet_loader_int (loader, "attention.head_count", 1, 512);
  if (facet_loader_int (loader, "num_mel_bins", 1, 1 << 16) != FACET_MEL_BINS)
    facet_loader_fault (loader, "key clip.audio.num_mel_bins is not %d", FACET_MEL_BINS);
  if (m->width % m->n_head != 0 || m->width % 2 != 0) {
    facet_loader_fault (loader, "width %d is odd or does not divide among %d heads", m->width, m->n_head);
    m->n_head = 1;
  }
  load_convolution (m, loader, 0);
  load_convolution (m, loader, 1);
  m->project = facet_loader_matrix (loader, FACET_MEL_BINS / 4 * (gint64) m->channels[1], m->width, "%s.weight", kind->project);
  m->blocks = g_new0 (FacetConformerBlock, m->n_layers);
  for (int i = 0; i < m->n_layers; i++)
    load_block (m, loader, i);
  make_sinusoids (m);
}

void
facet_conformer_clear (FacetConformer *m)
{
  g_clear_pointer (&m->made, g_ptr_array_unref);
  g_clear_pointer (&m->owned, g_ptr_array_unref);
  g_clear_pointer (&m->blocks, g_free);
}

/* ---- describing ---- */

static int
norm (FacetGraph *g, int x, const FacetTensor *gain)
{
  return facet_g_rms_norm (g, x, gain, (int) gain->ne[0], FACET_CONFORMER_EPS);
}

static int
half_feed_forward (FacetGraph *g, const FacetConformerBlock *b, int half, int h)
{
  int x = facet_g_silu (g, facet_clipped_build (g, &b->up[half], norm (g, h, b->ff_norm[half])));

  x = norm (g, facet_clipped_build (g, &b->down[half], x), b->ff_post[half]);
  return facet_g_add (g, h, facet_g_scale (g, x, 0.5f));
}

static int
attention (FacetGraph *g, const FacetConformer *m, const FacetConformerBlock *b, int sinusoids, int h)
{
  int x = norm (g, h, b->before_attention);
  int q = facet_clipped_build (g, &b->q, x), k = facet_clipped_build (g, &b->k, x), v = facet_clipped_build (g, &b->v, x);
  int positions = facet_g_matmul (g, sinusoids, b->positions, NULL);

  q = facet_g_mul (g, q, facet_g_table (g, b->q_scale));
  if (m->kind->k_scale != 1)
    k = facet_g_scale (g, k, m->kind->k_scale);
  x = facet_g_local_attention (g, q, k, v, positions, m->n_head, SOFTCAP);
  return facet_g_add (g, h, norm (g, facet_clipped_build (g, &b->out, x), b->after_attention));
}

static int
light_conv (FacetGraph *g, const FacetConformerBlock *b, int h)
{
  int x = facet_g_glu (g, facet_clipped_build (g, &b->pw1, norm (g, h, b->before_conv)));

  x = facet_g_silu (g, norm (g, facet_g_causal_conv (g, x, b->conv), b->after_conv));
  return facet_g_add (g, h, facet_clipped_build (g, &b->pw2, x));
}

static int
subsample (FacetGraph *g, const FacetConformer *m, int frames, FacetConvNormFunc conv_norm)
{
  int x = facet_g_input (g, 0, frames, FACET_MEL_BINS), rows = frames, cols = FACET_MEL_BINS;

  for (int i = 0; i < 2; i++) {
    x = facet_g_matmul (g, facet_g_patches (g, x, rows, cols, m->kind->zero_rows_before), m->conv[i], NULL);
    rows = (rows - 1) / 2 + 1;
    cols = (cols - 1) / 2 + 1;
    x = facet_g_relu (g, conv_norm (g, m, i, x, cols));
  }
  return facet_g_matmul (g, facet_g_reshape (g, x, rows, cols * m->channels[1]), m->project, NULL);
}

int
facet_conformer_rows (int frames)
{
  return ((frames - 1) / 2 + 1 - 1) / 2 + 1;
}

int
facet_conformer_build (FacetGraph *g, const FacetConformer *m, int frames, FacetConvNormFunc conv_norm, gboolean mark)
{
  int sinusoids = facet_g_table (g, m->sinusoids);
  int h = subsample (g, m, frames, conv_norm);

  if (mark)
    facet_graph_mark_layer (g, h, -1);
  for (int i = 0; i < m->n_layers; i++) {
    const FacetConformerBlock *b = &m->blocks[i];

    h = attention (g, m, b, sinusoids, half_feed_forward (g, b, 0, h));
    h = norm (g, half_feed_forward (g, b, 1, light_conv (g, b, h)), b->last_norm);
    if (mark)
      facet_graph_mark_layer (g, h, i);
  }
  return h;
}

gboolean
facet_conformer_prepare (FacetEncoderInput *input, const float *samples, gsize n, int mel_kind, GError **error)
{
  memset (input, 0, sizeof *input);
  if (n == 0 || n > FACET_CONFORMER_MAX_SAMPLES) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "sound of %.2f seconds, the encoder takes up to %d",
                 (double) n / 16000, FACET_CONFORMER_MAX_SAMPLES / 16000);
    return FALSE;
  }
  input->shape = (int) facet_mel_frames (mel_kind, n);
  input->data[0] = facet_mel_compute (mel_kind, samples, n);
  return TRUE;
}
