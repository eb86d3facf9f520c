#include "siglip-file.h"

#include <math.h>
#include <string.h>

#include "gguf/dtype.h"

static void
put_string (GByteArray *out, const char *text)
{
  guint64 length = strlen (text);

  g_byte_array_append (out, (const guint8 *) &length, 8);
  g_byte_array_append (out, (const guint8 *) text, (guint) length);
}

static void
put_key (GByteArray *out, const char *key, guint32 type, const void *value, guint bytes)
{
  put_string (out, key);
  g_byte_array_append (out, (const guint8 *) &type, 4);
  g_byte_array_append (out, value, bytes);
}

typedef struct {
  GByteArray *infos, *data;
  GRand      *rand;
  guint64     count;
} Tensors;

/* Random numbers of this spread around @middle. */
static void
put_tensor (Tensors *t, const char *name, guint32 dims, const guint64 *ne, float middle, float spread)
{
  guint64 n = 1, offset = t->data->len;
  guint32 type = FACET_F32;

  put_string (t->infos, name);
  g_byte_array_append (t->infos, (const guint8 *) &dims, 4);
  g_byte_array_append (t->infos, (const guint8 *) ne, 8 * dims);
  g_byte_array_append (t->infos, (const guint8 *) &type, 4);
  g_byte_array_append (t->infos, (const guint8 *) &offset, 8);
  for (guint32 i = 0; i < dims; i++)
    n *= ne[i];
  g_byte_array_set_size (t->data, (guint) ((offset + 4 * n + 31) / 32 * 32));
  for (guint64 i = 0; i < n; i++)
    ((float *) (gpointer) (t->data->data + offset))[i] = middle + spread * (float) g_rand_double_range (t->rand, -1, 1);
  t->count++;
}

static void
put_block (Tensors *t, int i, guint64 e, guint64 f)
{
  static const char *const names[] = { "ln1", "ln2", "attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down" };

  for (gsize n = 0; n < G_N_ELEMENTS (names); n++) {
    guint64 ne[2] = { n == 7 ? f : e, n == 6 ? f : e };
    g_autofree char *weight = g_strdup_printf ("v.blk.%d.%s.weight", i, names[n]), *bias = g_strdup_printf ("v.blk.%d.%s.bias", i, names[n]);

    put_tensor (t, weight, n < 2 ? 1 : 2, ne, n < 2 ? 1 : 0, n < 2 ? 0.1f : 2 / sqrtf ((float) ne[0]));
    put_tensor (t, bias, 1, &ne[1], 0, 0.1f);
  }
}

static void
put_keys (GByteArray *keys, const SiglipShape *shape)
{
  const struct { const char *key; guint32 value; } sizes[] = {
    { "image_size", shape->side }, { "patch_size", shape->patch }, { "embedding_length", shape->inner }, { "feed_forward_length", shape->ffn },
    { "block_count", shape->blocks }, { "attention.head_count", shape->heads }, { "projection_dim", shape->width },
  };
  const struct { guint32 type; guint64 n; float values[3]; } halves = { 6, 3, { 0.5f, 0.5f, 0.5f } };
  const struct { guint64 length; char text[4]; } architecture = { 4, "clip" };
  const struct { guint64 length; char text[6]; } type = { 6, "gemma3" };
  guint8 array[4 + 8 + 12], yes = 1;

  put_key (keys, "general.architecture", 8, &architecture, 12);
  put_key (keys, "clip.projector_type", 8, &type, 14);
  put_key (keys, "clip.use_gelu", 7, &yes, 1);
  memcpy (array, &halves.type, 4);
  memcpy (array + 4, &halves.n, 8);
  memcpy (array + 12, halves.values, 12);
  put_key (keys, "clip.vision.image_mean", 9, array, sizeof array);
  put_key (keys, "clip.vision.image_std", 9, array, sizeof array);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree char *key = g_strconcat ("clip.vision.", sizes[i].key, NULL);

    put_key (keys, key, 4, &sizes[i].value, 4);
  }
}

#define N_KEYS 12

static void
put_tensors (Tensors *t, const SiglipShape *shape)
{
  const guint64 e = shape->inner, p = shape->patch, patches = (guint64) (shape->side / p) * (shape->side / p);

  put_tensor (t, "v.patch_embd.weight", 4, (const guint64[]) { p, p, 3, e }, 0, 0.2f);
  put_tensor (t, "v.patch_embd.bias", 1, &e, 0, 0.1f);
  put_tensor (t, "v.position_embd.weight", 2, (const guint64[]) { e, patches }, 0, 0.5f);
  for (guint32 i = 0; i < shape->blocks; i++)
    put_block (t, (int) i, e, shape->ffn);
  put_tensor (t, "v.post_ln.weight", 1, &e, 1, 0.1f);
  put_tensor (t, "v.post_ln.bias", 1, &e, 0, 0.1f);
  put_tensor (t, "mm.soft_emb_norm.weight", 1, &e, 1, 0.1f);
  put_tensor (t, "mm.input_projection.weight", 2, (const guint64[]) { shape->width, e }, 0, 0.1f);
}

GByteArray *
siglip_file (const SiglipShape *shape)
{
  GByteArray *file = g_byte_array_new ();
  Tensors t = { g_byte_array_new (), g_byte_array_new (), g_rand_new_with_seed (7), 0 };
  const guint64 n_keys = N_KEYS;
  const guint32 version = 3;

  put_tensors (&t, shape);
  g_byte_array_append (file, (const guint8 *) "GGUF", 4);
  g_byte_array_append (file, (const guint8 *) &version, 4);
  g_byte_array_append (file, (const guint8 *) &t.count, 8);
  g_byte_array_append (file, (const guint8 *) &n_keys, 8);
  put_keys (file, shape);
  g_byte_array_append (file, t.infos->data, t.infos->len);
  g_byte_array_set_size (file, (file->len + 31) / 32 * 32);
  g_byte_array_append (file, t.data->data, t.data->len);
  g_byte_array_unref (t.infos);
  g_byte_array_unref (t.data);
  g_rand_free (t.rand);
  return file;
}
