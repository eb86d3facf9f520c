#include "widget-picture.h"

void
settle (guint ms)
{
  gint64 end = g_get_monotonic_time () + ms * 1000;

  while (g_get_monotonic_time () < end)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
}

/* As on a desktop, where the window has the focus, and round corners instead of a frame; Xvfb gives it neither. */
static void
pose (GtkWidget *widget)
{
  if (!GTK_IS_WINDOW (widget))
    return;
  gtk_widget_remove_css_class (widget, "solid-csd");
  gtk_widget_add_css_class (widget, "csd");
  gtk_widget_unset_state_flags (widget, GTK_STATE_FLAG_BACKDROP);
}

/* What is about to be drawn anew has no picture at that moment. */
static GskRenderNode *
node_of (GtkWidget *widget)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (widget);
  GskRenderNode *node = NULL;

  for (int i = 0; i < 50 && node == NULL; i++) {
    GtkSnapshot *snapshot = gtk_snapshot_new ();

    settle (7);
    gdk_paintable_snapshot (paintable, snapshot, gtk_widget_get_width (widget), gtk_widget_get_height (widget));
    node = gtk_snapshot_free_to_node (snapshot);
  }
  return node;
}

void
widget_picture (GtkWidget *widget, const char *name, guint ms)
{
  const char *folder = g_getenv ("FACET_SCREENSHOTS");
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GdkTexture) texture = NULL;
  g_autofree char *path = NULL;

  if (folder == NULL)
    return;
  pose (widget);
  settle (ms);
  node = node_of (widget);
  texture = gsk_renderer_render_texture (gtk_native_get_renderer (gtk_widget_get_native (widget)), node, NULL);
  path = g_strdup_printf ("%s/%s.png", folder, name);
  g_assert_true (gdk_texture_save_to_png (texture, path));
}
