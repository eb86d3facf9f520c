#include "models/conv-weights.h"

#define MAX_SIDE 15
#define MAX_CHANNELS (1 << 14)

typedef struct {
  FacetTensor tensor;
  char       *name;
  float      *data;  /* NULL: the tensor's are in the file */
} Made;

static void
made_free (gpointer data)
{
  Made *made = data;

  g_free (made->name);
  g_free (made->data);
  g_free (made);
}

void
facet_conv_reader_init (FacetConvReader *reader, FacetLoader *loader)
{
  reader->loader = loader;
  reader->made = g_ptr_array_new_with_free_func (made_free);
  reader->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

GPtrArray *
facet_conv_reader_finish (FacetConvReader *reader, const char *prefix)
{
  FacetGguf *gguf = reader->loader->gguf;

  for (gsize i = 0; i < facet_gguf_n_tensors (gguf); i++) {
    const char *name = facet_gguf_tensor_at (gguf, i)->name;

    if (g_str_has_prefix (name, prefix) && !g_hash_table_contains (reader->seen, name))
      facet_loader_fault (reader->loader, "tensor %s has no place in this encoder", name);
  }
  g_hash_table_unref (reader->seen);
  return reader->made;
}

gboolean
facet_conv_has (FacetConvReader *reader, const char *name)
{
  return facet_gguf_tensor (reader->loader->gguf, name) != NULL;
}

static Made *
make (FacetConvReader *reader, const char *name, gint64 ne0, gint64 ne1)
{
  Made *made = g_new0 (Made, 1);

  made->name = g_strdup (name);
  made->tensor = (FacetTensor) { .name = made->name, .dtype = FACET_F32, .ne = { ne0, ne1, 1, 1 },
                                 .bytes = sizeof (float) * (gsize) (ne0 * ne1) };
  g_ptr_array_add (reader->made, made);
  return made;
}

/* Takes over @data; NULL: zeros. */
static const FacetTensor *
set_data (Made *made, float *data)
{
  made->data = data != NULL ? data : g_malloc0 (made->tensor.bytes);
  made->tensor.data = made->data;
  return &made->tensor;
}

const FacetTensor *
facet_conv_vector (FacetConvReader *reader, gint64 n, const char *name)
{
  g_hash_table_add (reader->seen, g_strdup (name));
  return set_data (make (reader, name, n, 1), facet_loader_floats (reader->loader, n, name));
}

/* { channels, k * k } out of { k, k, 1, channels } */
static const FacetTensor *
by_channel (FacetConvReader *reader, const char *name, int k, int channels)
{
  gint64 cells = (gint64) k * k;
  g_autofree float *data = facet_loader_floats (reader->loader, cells * channels, name);
  Made *made = make (reader, name, channels, cells);

  set_data (made, NULL);
  for (int c = 0; data != NULL && c < channels; c++)
    for (gint64 cell = 0; cell < cells; cell++)
      made->data[cell * channels + c] = data[c * cells + cell];
  return &made->tensor;
}

/* The memory of @t as a matrix; NULL: zeros. */
static const FacetTensor *
as_matrix (FacetConvReader *reader, const FacetTensor *t, const char *name, gint64 in, gint64 out)
{
  Made *made = make (reader, name, in, out);

  if (t == NULL)
    return set_data (made, NULL);
  made->tensor.dtype = t->dtype;
  made->tensor.data = t->data;
  made->tensor.bytes = t->bytes;
  return &made->tensor;
}

static gboolean
shape_is_right (const FacetTensor *t, gboolean depthwise, int in)
{
  gint64 k = t->ne[0];

  if (k != t->ne[1] || k < 1 || k > MAX_SIDE || t->ne[3] < 1 || t->ne[3] > MAX_CHANNELS || facet_dtype_info (t->dtype)->block != 1)
    return FALSE;
  return depthwise ? t->ne[2] == 1 && t->ne[3] == in : t->ne[2] == in;
}

void
facet_conv_read (FacetConvReader *reader, FacetConv *conv, gboolean depthwise, int in, const char *name, const char *norm)
{
  const FacetTensor *t = facet_gguf_tensor (reader->loader->gguf, name);

  g_hash_table_add (reader->seen, g_strdup (name));
  *conv = (FacetConv) { .depthwise = depthwise, .k = 1, .out = depthwise ? in : 1 };
  if (t == NULL || !shape_is_right (t, depthwise, in)) {
    facet_loader_fault (reader->loader, "tensor %s is missing or not float [k, k, %d, channels]", name, depthwise ? 1 : in);
    t = NULL;
  } else {
    conv->k = (int) t->ne[0];
    conv->out = (int) t->ne[3];
  }
  conv->w = depthwise ? by_channel (reader, name, conv->k, conv->out)
                      : as_matrix (reader, t, name, (gint64) in * conv->k * conv->k, conv->out);
  if (norm != NULL)
    conv->norm = facet_conv_vector (reader, conv->out, norm);
}
